import type { AnswerLimits, ChatRequest, ResponseFormat, Tool, ToolChoice } from "../../core/types.js";
import { asObject } from "../../lib/json.js";
import { readFunctionTool, readToolChoice } from "../function-tools.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readJsonSchemaFormat } from "../json-schema-format.js";
import { readSampling } from "../sampling.js";
import { callFormOf } from "./call-fields.js";
import type { ChatCompletionBody } from "./schema.js";
import { isSearchTool } from "./thinking-and-search.js";

type AnswerForm = Pick<
  ChatRequest,
  "tools" | "toolChoice" | "parallelToolCalls" | "responseFormat" | "sampling" | "limits"
>;

/**
 * The parameters that say which answer is wanted: tools, format, sampling and limits. `body` is in OpenAI's form. Throws
 * `invalid_request` with the field.
 */
export function parseAnswerForm(body: ChatCompletionBody): AnswerForm {
  return {
    ...parseTools(body),
    ...parseResponseFormat(body.response_format),
    ...readSampling(body, samplingParameters),
    ...parseLimits(body),
  };
}

function parseTools(
  body: ChatCompletionBody,
): Pick<AnswerForm, "tools" | "toolChoice" | "parallelToolCalls"> {
  const tools = [
    ...(body.tools ?? []).flatMap((tool, index) =>
      isFunctionTool(tool) ? [readFunctionTool(tool, `tools[${index}]`)] : [],
    ),
    ...(body.functions ?? []).map((tool, index) => readFunctionTool(tool, `functions[${index}]`)),
  ];
  const { choice, allowed } = parseToolChoice(body, tools);
  return {
    ...(tools.length > 0 ? { tools: allowed ?? tools } : {}),
    ...(choice === undefined ? {} : { toolChoice: choice }),
    ...parseParallelCalls(body),
  };
}

function parseParallelCalls(body: ChatCompletionBody): { parallelToolCalls?: boolean } {
  // A message with `function_call` has one.
  if (callFormOf(body) === "function_call") return { parallelToolCalls: false };
  const { parallel_tool_calls: isAllowed } = body;
  return typeof isAllowed === "boolean" ? { parallelToolCalls: isAllowed } : {};
}

/** Whether an element of `tools` is meant as a function: other kinds have a `type` of their own. */
export function isFunctionTool(tool: unknown): boolean {
  const type = asObject(tool)?.type;
  return !isSearchTool(tool) && (type === undefined || type === null || type === "function");
}

/** `allowed`: the tools that are left by OpenAI's `{type: "allowed_tools"}`. */
function parseToolChoice(
  body: ChatCompletionBody,
  tools: readonly Tool[],
): { choice?: ToolChoice; allowed?: Tool[] } {
  const path = body.tool_choice === undefined || body.tool_choice === null ? "function_call" : "tool_choice";
  const value = body.tool_choice ?? body.function_call;
  const object = asObject(value);
  if (object?.type === "allowed_tools") return parseAllowedTools(object.allowed_tools, tools);
  // A search is no function: Moonbridge runs it as the upstream's own search.
  if (isSearchTool(object) || (tools.length === 0 && body.tools?.some(isSearchTool))) return {};
  // A tool of another kind is for the service that knows it.
  if (tools.length === 0 && body.tools?.some((tool) => !isFunctionTool(tool))) return {};
  const choice = readToolChoice(value, { path, tools });
  return choice === undefined ? {} : { choice };
}

function parseAllowedTools(value: unknown, tools: readonly Tool[]): { choice: ToolChoice; allowed: Tool[] } {
  const path = "tool_choice.allowed_tools";
  const { mode, tools: listed } = asObject(value) ?? {};
  if (!Array.isArray(listed)) throw invalidParameter(`${path}.tools`, "expected a list of functions");
  const names = listed.map((entry: unknown, index) => {
    const choice = readToolChoice(entry, { path: `${path}.tools[${index}]`, tools });
    return typeof choice === "object" ? choice.name : undefined;
  });
  const choice = readToolChoice(mode ?? "auto", { path: `${path}.mode`, tools });
  return { choice: choice ?? "auto", allowed: tools.filter(({ name }) => names.includes(name)) };
}

function parseResponseFormat(format: ChatCompletionBody["response_format"]): {
  responseFormat?: ResponseFormat;
} {
  if (!format) return {};
  switch (format.type) {
    case "json_object":
      return { responseFormat: { type: "json" } };
    case "json_schema": {
      const definition = asObject(format.json_schema);
      // OpenAI's “schema” is optional: without one any JSON is right.
      if (definition && definition.schema === undefined) return { responseFormat: { type: "json" } };
      const path = "response_format.json_schema.schema";
      return { responseFormat: readJsonSchemaFormat(definition, path) };
    }
    default:
      // Text, or a format that only a service knows; it is among the requested features.
      return {};
  }
}

const samplingParameters = [
  "temperature",
  "top_p",
  "top_k",
  "min_p",
  "presence_penalty",
  "frequency_penalty",
  "repetition_penalty",
  "seed",
] as const;

function parseLimits(body: ChatCompletionBody): { limits?: AnswerLimits } {
  const maxTokens = body.max_completion_tokens ?? body.max_tokens ?? undefined;
  const stop = [body.stop ?? []].flat().filter((text) => text !== "");
  if (maxTokens === undefined && stop.length === 0) return {};
  return {
    limits: {
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(stop.length > 0 ? { stop } : {}),
    },
  };
}
