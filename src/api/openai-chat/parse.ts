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
import { asObject, asText } from "../../lib/json.js";
import { isOriginalShape, readMessages } from "./content.js";
import { type ChatCompletionBody, parameterNames } from "./schema.js";

export type ParseOptions = { unknownParameters: "reject" | "ignore"; caller: Principal; signal: AbortSignal };

/** Reads a validated body. Throws `unknown_parameter` or `invalid_request`, naming the field and the remedy. */
export function parseChatCompletion(body: ChatCompletionBody, options: ParseOptions): ChatRequest {
  const unknown = unknownParameters(body);
  if (options.unknownParameters === "reject" && unknown[0] !== undefined) throw unknownParameter(unknown[0]);
  if ((body.n ?? 1) !== 1) throw refused("n", "only one answer at a time; leave n out or set it to 1");
  if (body.modalities?.some((kind) => kind !== "text"))
    throw refused("modalities", 'only ["text"] is possible');
  const search = wantsSearch(body);
  const thinking = wantedThinking(body);
  const isOriginal = isOriginalShape(body.messages);
  // The original always streamed and its users' code relies on it; its own message shape tells them apart.
  const stream = body.stream ?? isOriginal;
  return {
    model: body.model || "kimi",
    messages: readMessages(body.messages),
    ...(search === undefined ? {} : { search }),
    ...(thinking === undefined ? {} : { thinking }),
    ...conversationOf(body),
    ...citationsOf(body),
    requestedFeatures: [...askedFeatures(body), ...unknown.map(unknownFeature)],
    stream,
    includeUsage: !stream || body.stream_options?.include_usage === true,
    // That shape is nobody else's.
    ...(isOriginal ? {} : { originalRequest: { dialect: "openai-chat", body } }),
    principal: options.caller,
    signal: options.signal,
  };
}

/** kimi-free-api's clients send "none" for a first turn. */
function conversationOf({ conversation_id: id }: ChatCompletionBody): { conversation?: string } {
  return id && id !== "none" ? { conversation: id } : {};
}

function citationsOf({ citations }: ChatCompletionBody): { citations?: CitationMode } {
  if (citations === undefined || citations === null) return {};
  const mode = citationModes.find((candidate) => candidate === citations);
  if (!mode) throw refused("citations", `expected one of ${citationModes.join(", ")}`);
  return { citations: mode };
}

function unknownParameters(body: object): string[] {
  return Object.keys(body).filter((name) => !parameterNames.includes(name));
}

/** Let through: an upstream of this dialect may know it, and for others it is reported, not hidden. */
function unknownFeature(name: string): ChatRequest["requestedFeatures"][number] {
  return { parameter: printable(name), feature: "unknown" };
}

function unknownParameter(name: string): GatewayError {
  const shown = printable(name);
  const nearest = parameterNames.reduce((best, each) =>
    distance(shown, each) < distance(shown, best) ? each : best,
  );
  return new GatewayError(
    "unknown_parameter",
    `There is no parameter “${shown}”; the nearest is “${nearest}”. Remove it, or set server.unknownParameters to "ignore".`,
    { param: shown },
  );
}

function printable(name: string): string {
  return name.replace(/[^\w.-]/g, "?").slice(0, 64);
}

/** The parameters that ask for more than a plain answer, unless they only repeat the default. */
function askedFeatures(body: ChatCompletionBody): ChatRequest["requestedFeatures"] {
  const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false;
  return features
    .filter(({ parameter, neutral }) => isSet(body[parameter]) && !neutral?.(body[parameter]))
    .map(({ parameter, feature }) => ({ parameter, feature }));
}

type FeatureRule = {
  parameter: keyof ChatCompletionBody;
  feature: Feature;
  neutral?: (value: unknown) => boolean;
};

const isZero = (value: unknown) => value === 0;
const isOne = (value: unknown) => value === 1;
const isEmptyList = (value: unknown) => Array.isArray(value) && value.every(isSearchTool);

const features: FeatureRule[] = [
  { parameter: "temperature", feature: "sampling" },
  { parameter: "top_p", feature: "sampling", neutral: isOne },
  { parameter: "top_k", feature: "sampling" },
  { parameter: "min_p", feature: "sampling", neutral: isZero },
  { parameter: "presence_penalty", feature: "sampling", neutral: isZero },
  { parameter: "frequency_penalty", feature: "sampling", neutral: isZero },
  { parameter: "repetition_penalty", feature: "sampling", neutral: isOne },
  { parameter: "logit_bias", feature: "sampling" },
  { parameter: "seed", feature: "sampling" },
  { parameter: "max_tokens", feature: "max-tokens" },
  { parameter: "max_completion_tokens", feature: "max-tokens" },
  { parameter: "stop", feature: "stop", neutral: isEmptyList },
  { parameter: "tools", feature: "tools", neutral: isEmptyList },
  { parameter: "functions", feature: "tools", neutral: isEmptyList },
  { parameter: "tool_choice", feature: "tools", neutral: (value) => value === "auto" || value === "none" },
  { parameter: "function_call", feature: "tools", neutral: (value) => value === "auto" || value === "none" },
  { parameter: "response_format", feature: "output-format", neutral: (value) => typeOf(value) === "text" },
  { parameter: "verbosity", feature: "output-format" },
  { parameter: "prediction", feature: "output-format" },
  { parameter: "logprobs", feature: "logprobs" },
  { parameter: "top_logprobs", feature: "logprobs" },
  { parameter: "conversation_id", feature: "conversation", neutral: (value) => value === "none" },
];

/** Every spelling in which clients ask for a web search (clients.md row 49). */
function wantsSearch(body: ChatCompletionBody): boolean | undefined {
  if (body.web_search_options || body.tools?.some(isSearchTool)) return true;
  return body.use_search ?? body.enable_search ?? undefined;
}

function isSearchTool(tool: unknown): boolean {
  const type = typeOf(tool) ?? "";
  return (
    type.startsWith("web_search") ||
    (type === "builtin_function" && /\$web_search/.test(JSON.stringify(tool)))
  );
}

const efforts: Record<string, Thinking> = {
  none: "off",
  off: "off",
  disabled: "off",
  minimal: "low",
  low: "low",
  medium: "high",
  high: "high",
  xhigh: "max",
  max: "max",
  // Moonshot's and Anthropic's `thinking.type`.
  enabled: "high",
  adaptive: "high",
};

/** Every spelling in which clients ask for thinking: OpenAI's, OpenRouter's, Moonshot's, Qwen's and vLLM's. */
function wantedThinking(body: ChatCompletionBody): Thinking | undefined {
  const stated: [string, unknown][] = [
    ["reasoning_effort", body.reasoning_effort],
    ["reasoning.effort", body.reasoning?.effort],
    ["thinking.effort", asObject(body.thinking)?.effort],
    ["thinking.type", asObject(body.thinking)?.type],
  ];
  for (const [param, value] of stated) {
    if (value === undefined || value === null) continue;
    const effort = typeof value === "string" && Object.hasOwn(efforts, value) ? efforts[value] : undefined;
    if (effort === undefined) throw refused(param, `expected one of ${Object.keys(efforts).join(", ")}`);
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

function refused(param: string, expectation: string): GatewayError {
  return new GatewayError("invalid_request", `${param}: ${expectation}.`, { param });
}
