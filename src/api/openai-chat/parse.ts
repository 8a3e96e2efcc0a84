import { distance } from "fastest-levenshtein";
import { GatewayError } from "../../core/errors.js";
import {
  type ChatRequest,
  type CitationMode,
  citationModes,
  type Feature,
  type Principal,
  type Thinking,
} from "../../core/types.js";
import { asObject, asText, isObject } from "../../lib/json.js";
import { hasNestedMessages, readMessages } from "./messages.js";
import { type ChatCompletionBody, parameterNames } from "./schema.js";

export type ParseOptions = {
  unknownParameters: "reject" | "ignore";
  principal: Principal;
  signal: AbortSignal;
};

/** Parses a schema-valid body. Throws `unknown_parameter` or `invalid_request` with the field and what was expected. */
export function parseChatCompletion(body: ChatCompletionBody, options: ParseOptions): ChatRequest {
  const unknown = unknownParameters(body);
  if (options.unknownParameters === "reject" && unknown[0] !== undefined)
    throw unknownParameterError(unknown[0]);
  if ((body.n ?? 1) !== 1)
    throw invalidParameter("n", "only one answer at a time; leave n out or set it to 1");
  if (body.modalities?.some((kind) => kind !== "text"))
    throw invalidParameter("modalities", 'only ["text"] is possible');
  const search = parseSearch(body);
  const thinking = parseThinking(body);
  const hasNested = hasNestedMessages(body.messages);
  // kimi-free-api always streamed and its users' code relies on it; they are recognised by its nested messages.
  const stream = body.stream ?? hasNested;
  return {
    model: body.model || "kimi",
    messages: readMessages(body.messages),
    ...(search === undefined ? {} : { search }),
    ...(thinking === undefined ? {} : { thinking }),
    ...parseConversation(body),
    ...parseCitations(body),
    requestedFeatures: [...requestedFeatures(body), ...unknown.map(unknownFeature)],
    stream,
    includeUsage: !stream || body.stream_options?.include_usage === true,
    // No upstream knows nested messages.
    ...(hasNested ? {} : { originalRequest: { dialect: "openai-chat", body } }),
    principal: options.principal,
    signal: options.signal,
  };
}

/** Clients of kimi-free-api send "none" for a first turn. */
function parseConversation({ conversation_id: id }: ChatCompletionBody): { conversation?: string } {
  return id && id !== "none" ? { conversation: id } : {};
}

function parseCitations({ citations }: ChatCompletionBody): { citations?: CitationMode } {
  if (citations === undefined || citations === null) return {};
  const mode = citationModes.find((candidate) => candidate === citations);
  if (!mode) throw invalidParameter("citations", `expected one of ${citationModes.join(", ")}`);
  return { citations: mode };
}

function unknownParameters(body: object): string[] {
  return Object.keys(body).filter((name) => !parameterNames.includes(name));
}

/** An accepted unknown parameter: an upstream of this dialect may know it, others report it as ignored. */
function unknownFeature(name: string): ChatRequest["requestedFeatures"][number] {
  return { parameter: printable(name), feature: "unknown" };
}

function unknownParameterError(name: string): GatewayError {
  const shown = printable(name);
  const nearest = parameterNames.reduce((best, candidate) =>
    distance(shown, candidate) < distance(shown, best) ? candidate : best,
  );
  return new GatewayError(
    "unknown_parameter",
    `There is no parameter “${shown}”; the nearest is “${nearest}”. Remove it, or set server.unknownParameters to "ignore".`,
    { param: shown },
  );
}

/** A parameter name from the client, made safe for messages and headers. */
function printable(name: string): string {
  return name.replace(/[^\w.-]/g, "?").slice(0, 64);
}

/** The parameters that need a feature of the upstream, except those that only repeat the default. */
function requestedFeatures(body: ChatCompletionBody): ChatRequest["requestedFeatures"] {
  const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false;
  const isServedBySearch = hasSearchToolsOnly(body);
  return featureRules
    .filter(({ parameter, isNeutral }) => isSet(body[parameter]) && !isNeutral?.(body[parameter]))
    .map(({ parameter, feature, isRequired = false }) => ({
      parameter,
      feature,
      ...(isRequired && !(feature === "tools" && isServedBySearch) ? { isRequired } : {}),
    }));
}

/**
 * The feature of an upstream that a parameter needs, unless the parameter only repeats the default (`isNeutral`).
 * `isRequired`: the client cannot use an answer without it.
 */
type FeatureRule = {
  parameter: keyof ChatCompletionBody;
  feature: Feature;
  isNeutral?: (value: unknown) => boolean;
  isRequired?: boolean;
};

const isZero = (value: unknown) => value === 0;
const isOne = (value: unknown) => value === 1;
const hasOnlySearchTools = (value: unknown) => Array.isArray(value) && value.every(isSearchTool);
/** Leaves the choice to the model: as a name, in the form `{type: "auto"}`, or as the empty object of "not set". */
const isFreeChoice = (value: unknown) =>
  ["auto", "none"].includes(typeOf(value) ?? asText(value) ?? "") || isEmptyObject(value);
const isEmptyObject = (value: unknown) => isObject(value) && Object.keys(value).length === 0;
/** A format of text, or none at all. */
const isTextFormat = (value: unknown) => (typeOf(value) ?? "text") === "text";
/** The same inside a parameter of another of OpenAI's or Anthropic's APIs: `{format: {type: "text"}}`. */
const hasTextFormat = (value: unknown) => isTextFormat(asObject(value)?.format);

const featureRules: FeatureRule[] = [
  { parameter: "temperature", feature: "sampling" },
  { parameter: "top_p", feature: "sampling", isNeutral: isOne },
  { parameter: "top_k", feature: "sampling" },
  { parameter: "min_p", feature: "sampling", isNeutral: isZero },
  { parameter: "presence_penalty", feature: "sampling", isNeutral: isZero },
  { parameter: "frequency_penalty", feature: "sampling", isNeutral: isZero },
  { parameter: "repetition_penalty", feature: "sampling", isNeutral: isOne },
  { parameter: "logit_bias", feature: "sampling" },
  { parameter: "seed", feature: "sampling" },
  { parameter: "max_tokens", feature: "max-tokens" },
  { parameter: "max_completion_tokens", feature: "max-tokens" },
  { parameter: "stop", feature: "stop", isNeutral: hasOnlySearchTools },
  { parameter: "tools", feature: "tools", isNeutral: hasOnlySearchTools },
  { parameter: "functions", feature: "tools", isNeutral: hasOnlySearchTools },
  { parameter: "tool_choice", feature: "tools", isNeutral: isFreeChoice, isRequired: true },
  { parameter: "function_call", feature: "tools", isNeutral: isFreeChoice, isRequired: true },
  { parameter: "response_format", feature: "output-format", isNeutral: isTextFormat, isRequired: true },
  { parameter: "text", feature: "output-format", isNeutral: hasTextFormat, isRequired: true },
  { parameter: "output_config", feature: "output-format", isNeutral: hasTextFormat, isRequired: true },
  { parameter: "verbosity", feature: "output-format" },
  { parameter: "prediction", feature: "output-format" },
  { parameter: "logprobs", feature: "logprobs" },
  { parameter: "top_logprobs", feature: "logprobs" },
  { parameter: "conversation_id", feature: "conversation", isNeutral: (value) => value === "none" },
];

/** Whether the request asks for a web search, in any form that clients use (clients.md §7 row 49); undefined if unset. */
function parseSearch(body: ChatCompletionBody): boolean | undefined {
  if (body.web_search_options || body.tools?.some(isSearchTool)) return true;
  return body.use_search ?? body.enable_search ?? undefined;
}

/** Whether the request offers tools, all of them searches, which Moonbridge runs as a search of the upstream. */
function hasSearchToolsOnly({ tools, functions }: ChatCompletionBody): boolean {
  const offered = [...(tools ?? []), ...(functions ?? [])];
  return offered.length > 0 && offered.every(isSearchTool);
}

function isSearchTool(tool: unknown): boolean {
  const type = typeOf(tool) ?? "";
  return (
    type.startsWith("web_search") ||
    (type === "builtin_function" && /\$web_search/.test(JSON.stringify(tool)))
  );
}

const thinkingEfforts: Record<string, Thinking> = {
  none: "off",
  off: "off",
  disabled: "off",
  minimal: "low",
  low: "low",
  medium: "high",
  high: "high",
  xhigh: "max",
  max: "max",
  // `thinking.type` of Moonshot and Anthropic.
  enabled: "high",
  adaptive: "high",
};

/**
 * The requested thinking effort, in the form of OpenAI, OpenRouter, Moonshot, Qwen or vLLM; undefined if unset. Throws
 * `invalid_request` for an unknown effort.
 */
function parseThinking(body: ChatCompletionBody): Thinking | undefined {
  const candidates: [string, unknown][] = [
    ["reasoning_effort", body.reasoning_effort],
    ["reasoning.effort", body.reasoning?.effort],
    ["thinking.effort", asObject(body.thinking)?.effort],
    ["thinking.type", asObject(body.thinking)?.type],
  ];
  for (const [param, value] of candidates) {
    if (value === undefined || value === null) continue;
    const effort =
      typeof value === "string" && Object.hasOwn(thinkingEfforts, value) ? thinkingEfforts[value] : undefined;
    if (effort === undefined)
      throw invalidParameter(param, `expected one of ${Object.keys(thinkingEfforts).join(", ")}`);
    return effort;
  }
  const kwargs = body.chat_template_kwargs;
  const flags = [
    body.thinking,
    body.enable_thinking,
    body.reasoning?.enabled,
    kwargs?.thinking,
    kwargs?.enable_thinking,
  ];
  const flag = flags.find((value) => typeof value === "boolean");
  return flag === undefined ? undefined : flag ? "high" : "off";
}

function typeOf(value: unknown): string | undefined {
  return asText(asObject(value)?.type);
}

function invalidParameter(param: string, expectation: string): GatewayError {
  return new GatewayError("invalid_request", `${param}: ${expectation}.`, { param });
}
