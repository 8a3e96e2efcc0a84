import { limits } from "../../core/limits.js";
import type {
  ChatRequest,
  Message,
  Principal,
  RequestedFeature,
  ResponseFormat,
  Thinking,
} from "../../core/types.js";
import { asObject, isObject, type JsonObject } from "../../lib/json.js";
import type { TextSealer } from "../../lib/text-sealer.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readJsonSchemaFormat } from "../json-schema-format.js";
import { readSampling } from "../sampling.js";
import { readThinkingEffort } from "../thinking-effort.js";
import { printableName } from "../unknown-parameters.js";
import { type PlacedItem, readItems } from "./input-items.js";
import type { CompactBody, ResponsesBody } from "./schema.js";
import { type ClientTool, type OfferedTools, readChoice, readTools } from "./tools.js";

/** `items`: those of the conversation, the ones that stored answers add included. */
export type ParseOptions = {
  items: readonly PlacedItem[];
  principal: Principal;
  signal: AbortSignal;
  sealer: Pick<TextSealer, "open">;
};

/** `tools`: how the client writes calls, by the names that the model knows. */
export type ParsedResponses = { chat: ChatRequest; tools: ReadonlyMap<string, ClientTool> };

/** Parses a schema-valid body. Throws `invalid_request` with the field and what was expected. */
export function parseResponses(body: ResponsesBody, options: ParseOptions): ParsedResponses {
  rejectUnsupported(body);
  const offered = readTools(body.tools ?? []);
  const { choice, allowed } = readChoice(body.tool_choice, offered);
  const tools = allowed ?? offered.tools;
  const thinking = readThinking(body.reasoning ?? undefined);
  const responseFormat = readFormat(body.text ?? undefined);
  const { parallel_tool_calls: allowsParallel, max_output_tokens: maxTokens } = body;
  const chat: ChatRequest = {
    model: body.model,
    messages: readMessages(body, options),
    ...(offered.search ? { search: true } : {}),
    ...(thinking === undefined ? {} : { thinking }),
    ...(tools.length > 0 ? { tools } : {}),
    ...(choice === undefined ? {} : { toolChoice: choice }),
    ...(typeof allowsParallel === "boolean" ? { parallelToolCalls: allowsParallel } : {}),
    ...(responseFormat ? { responseFormat } : {}),
    ...readSampling(body, ["temperature", "top_p"]),
    ...(typeof maxTokens === "number" ? { limits: { maxTokens } } : {}),
    requestedFeatures: [
      ...neededFeatures(body, { offered, isForced: choice === "required" || isObject(choice), thinking }),
      ...(responseFormat ? [formatFeature(body.text)] : []),
      ...offered.ignored,
      ...withoutEffect(body),
    ],
    stream: body.stream ?? false,
    usage: "final",
    principal: options.principal,
    signal: options.signal,
  };
  return { chat, tools: offered.byName };
}

/**
 * The messages of a request, its instructions first. Throws `invalid_request` if there are none, or too many with those of
 * earlier answers.
 */
export function readMessages(
  { instructions }: Pick<CompactBody, "instructions">,
  { items, sealer }: Pick<ParseOptions, "items" | "sealer">,
): Message[] {
  const messages = readItems(items, sealer);
  if (messages.length === 0) throw invalidParameter("input", "expected a text, or items with one");
  if (messages.length > limits.messages)
    throw invalidParameter("input", `this conversation has more than ${limits.messages} messages`);
  const system: Message[] = instructions
    ? [{ role: "system", content: [{ type: "text", text: instructions }] }]
    : [];
  return [...system, ...messages];
}

function rejectUnsupported({ background, conversation }: ResponsesBody): void {
  if (background === true)
    throw invalidParameter(
      "background",
      "answers are not made in the background here; leave it out and stream",
    );
  if (conversation !== undefined && conversation !== null)
    throw invalidParameter(
      "conversation",
      "there are no conversation objects here; use previous_response_id",
    );
}

/** Undefined unless an effort is set: Codex always sends `reasoning: {summary: "auto"}` (clients.md §4.2). */
function readThinking(reasoning: JsonObject | undefined): Thinking | undefined {
  const effort = reasoning?.effort ?? undefined;
  return effort === undefined ? undefined : readThinkingEffort("reasoning.effort", effort);
}

function readFormat(text: JsonObject | undefined): ResponseFormat | undefined {
  const format = asObject(text?.format);
  switch (format?.type) {
    case "json_object":
      return { type: "json" };
    case "json_schema":
      return readJsonSchemaFormat(format, "text.format.schema");
    default:
      return undefined;
  }
}

function formatFeature(text: unknown): RequestedFeature {
  const value = asObject(text)?.format;
  return {
    parameter: "text.format",
    name: "response_format",
    value,
    feature: "output-format",
    isRequired: true,
  };
}

function neededFeatures(
  body: ResponsesBody,
  {
    offered,
    isForced,
    thinking,
  }: { offered: OfferedTools; isForced: boolean; thinking: Thinking | undefined },
): RequestedFeature[] {
  const { tools, tool_choice, max_output_tokens, temperature, top_p, reasoning } = body;
  const needed = (
    parameter: string,
    name: string,
    value: unknown,
    feature: RequestedFeature["feature"],
  ): RequestedFeature => ({ parameter, name, value, feature });
  return [
    ...(offered.tools.length > 0 ? [needed("tools", "tools", tools, "tools")] : []),
    ...(isForced
      ? [{ ...needed("tool_choice", "tool_choice", tool_choice, "tools"), isRequired: true as const }]
      : []),
    ...(offered.search ? [needed("tools", "web_search_options", {}, "search")] : []),
    ...(thinking === undefined
      ? []
      : [needed("reasoning.effort", "reasoning_effort", reasoning?.effort, "thinking")]),
    ...(max_output_tokens
      ? [needed("max_output_tokens", "max_tokens", max_output_tokens, "max-tokens")]
      : []),
    // Both are the defaults of OpenAI's, which SDKs repeat.
    ...(isSet(temperature) && temperature !== 1
      ? [needed("temperature", "temperature", temperature, "sampling")]
      : []),
    ...(isSet(top_p) && top_p !== 1 ? [needed("top_p", "top_p", top_p, "sampling")] : []),
  ];
}

/** Parameters that do here what they say, or are reported by `neededFeatures`. */
const honoured: ReadonlySet<string> = new Set([
  "model",
  "input",
  "instructions",
  "previous_response_id",
  "stream",
  "store",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "reasoning",
  "text",
  "include",
  "max_output_tokens",
  "temperature",
  "top_p",
  "metadata",
]);

/** The parameters that are set and change nothing, unknown ones included. */
function withoutEffect(body: ResponsesBody): RequestedFeature[] {
  const verbosity = body.text?.verbosity;
  const names = Object.entries(body).flatMap(([name, value]) =>
    honoured.has(name) || !isSet(value) ? [] : [[printableName(name), value] as const],
  );
  const parts = isSet(verbosity) ? [["text.verbosity", verbosity] as const] : [];
  return [...names, ...parts].map(([name, value]) => ({ parameter: name, name, value, feature: "nothing" }));
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
