import type {
  ChatRequest,
  Part,
  Principal,
  RequestedFeature,
  ResponseFormat,
  Thinking,
} from "../../core/types.js";
import { isObject } from "../../lib/json.js";
import { readFunctionTool } from "../function-tools.js";
import { invalidParameter } from "../invalid-parameter.js";
import { printableName, unknownParameterError } from "../unknown-parameters.js";
import { decodeContext } from "./context.js";
import { parseMessages, readImages } from "./messages.js";
import { parseOptions } from "./options.js";
import { ChatBody, GenerateBody } from "./schema.js";

export type ParseOptions = {
  unknownParameters: "reject" | "ignore";
  principal: Principal;
  signal: AbortSignal;
};

type SharedBody = Omit<ChatBody, "messages" | "tools">;

/** Parses a schema-valid body of `/api/chat` that has messages. Throws `unknown_parameter` or `invalid_request`. */
export function parseChat(body: ChatBody, options: ParseOptions): ChatRequest {
  const { requestedFeatures, ...shared } = parseShared(body, Object.keys(ChatBody.properties), options);
  const messages = parseMessages(body.messages ?? []);
  const tools = (body.tools ?? []).map((tool, index) => readFunctionTool(tool, `tools[${index}]`));
  if (tools.length === 0) return { ...shared, messages, requestedFeatures };
  const feature: RequestedFeature = {
    parameter: "tools",
    name: "tools",
    value: body.tools,
    feature: "tools",
  };
  return { ...shared, messages, tools, requestedFeatures: [...requestedFeatures, feature] };
}

/** Parses a schema-valid body of `/api/generate` that has a prompt. Throws `unknown_parameter` or `invalid_request`. */
export function parseGenerate(body: GenerateBody, options: ParseOptions): ChatRequest {
  if (body.suffix) throw invalidParameter("suffix", "no model fills in text before a suffix; leave it out");
  const { requestedFeatures, ...shared } = parseShared(body, Object.keys(GenerateBody.properties), options);
  const { conversation, feature } = parseContext(body.context);
  return {
    ...shared,
    ...(conversation === undefined ? {} : { conversation }),
    messages: [
      ...(body.system ? [{ role: "system" as const, content: textParts(body.system) }] : []),
      { role: "user", content: [...textParts(body.prompt), ...readImages(body.images ?? [], "images")] },
    ],
    requestedFeatures: [
      ...requestedFeatures,
      ...feature,
      ...withoutEffect("template", body.template),
      ...withoutEffect("raw", body.raw),
    ],
  };
}

function parseContext(context: GenerateBody["context"]): {
  conversation?: string;
  feature: RequestedFeature[];
} {
  if (!context?.length) return { feature: [] };
  const conversation = decodeContext(context);
  const name = "conversation_id";
  return {
    conversation,
    feature: [{ parameter: "context", name, value: conversation, feature: "conversation" }],
  };
}

/** The name of a model without Ollama's tag for the newest version, which its clients add. */
export function modelName(name: string): string {
  return name.replace(/:latest$/, "");
}

function parseShared(
  body: SharedBody,
  known: readonly string[],
  { unknownParameters, principal, signal }: ParseOptions,
): Omit<ChatRequest, "messages"> {
  const { requestedFeatures, ...limitsAndSampling } = parseOptions(body.options ?? {}, unknownParameters);
  const thinking = parseThink(body.think ?? undefined);
  const responseFormat = parseFormat(body.format ?? undefined);
  return {
    model: modelName(body.model),
    stream: body.stream ?? true,
    usage: "final",
    ...limitsAndSampling,
    ...(thinking === undefined ? {} : { thinking }),
    ...(responseFormat ? { responseFormat } : {}),
    requestedFeatures: [
      ...requestedFeatures,
      ...neededFor({ thinking, responseFormat }, body),
      ...withoutEffect("logprobs", body.logprobs),
      ...withoutEffect("top_logprobs", body.top_logprobs),
      ...unknownFeatures(body, known, unknownParameters),
    ],
    principal,
    signal,
  };
}

function neededFor(
  {
    thinking,
    responseFormat,
  }: { thinking: Thinking | undefined; responseFormat: ResponseFormat | undefined },
  { think, format }: SharedBody,
): RequestedFeature[] {
  return [
    ...(thinking === undefined
      ? []
      : [{ parameter: "think", name: "reasoning_effort", value: think, feature: "thinking" as const }]),
    ...(responseFormat === undefined
      ? []
      : [
          {
            parameter: "format",
            name: "response_format",
            value: format,
            feature: "output-format" as const,
            isRequired: true as const,
          },
        ]),
  ];
}

function unknownFeatures(
  body: SharedBody,
  known: readonly string[],
  unknownParameters: ParseOptions["unknownParameters"],
): RequestedFeature[] {
  const unknown = Object.entries(body).filter(([name]) => !known.includes(name));
  if (unknown[0] && unknownParameters === "reject") throw unknownParameterError(unknown[0][0], known);
  return unknown.map(([name, value]) => ({
    parameter: printableName(name),
    name,
    value,
    feature: "unknown",
  }));
}

function textParts(text: string | null | undefined): Part[] {
  return text ? [{ type: "text", text }] : [];
}

/** A parameter that no upstream has, if it is set. */
function withoutEffect(parameter: string, value: unknown): RequestedFeature[] {
  return value ? [{ parameter, name: parameter, value, feature: "nothing" }] : [];
}

const thinkingEfforts: Record<string, Thinking> = { low: "low", medium: "high", high: "high", max: "max" };

function parseThink(think: boolean | string | undefined): Thinking | undefined {
  if (think === undefined || think === "") return undefined;
  if (typeof think === "boolean") return think ? "high" : "off";
  const effort = Object.hasOwn(thinkingEfforts, think) ? thinkingEfforts[think] : undefined;
  if (effort === undefined) throw invalidParameter("think", "expected true, false, low, medium or high");
  return effort;
}

function parseFormat(format: ChatBody["format"]): ResponseFormat | undefined {
  if (format === undefined || format === null || format === "") return undefined;
  if (format === "json") return { type: "json" };
  if (isObject(format)) return { type: "json-schema", name: "answer", schema: format, path: "format" };
  throw invalidParameter("format", "expected “json” or a JSON schema");
}
