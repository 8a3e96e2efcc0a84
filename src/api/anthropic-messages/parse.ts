import type { ChatRequest, Feature, Principal, RequestedFeature, ResponseFormat } from "../../core/types.js";
import { asObject, asText, parseObject } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readSampling } from "../sampling.js";
import { isUsableAffinity } from "../session-affinity.js";
import { printableName } from "../unknown-parameters.js";
import { readMessages, readSystem } from "./messages.js";
import { type CountBody, MessagesBody } from "./schema.js";
import type { Seals } from "./seals.js";
import { parseThinking } from "./thinking.js";
import { parseTools } from "./tools.js";

export type ParseOptions = { principal: Principal; signal: AbortSignal; seals: Seals };

/** What counts as the input of a request. */
export type ParsedPrompt = Pick<ChatRequest, "messages" | "tools">;

/** Parses a schema-valid body. Unknown fields are ignored and named. Throws `invalid_request` with the field. */
export function parseMessagesRequest(
  body: MessagesBody,
  { principal, signal, seals }: ParseOptions,
): ChatRequest {
  const { requestedFeatures: thinkingFeatures, ...thinking } = parseThinking(body);
  const { requestedFeatures: toolFeatures, ...tools } = parseTools(body);
  const messages = parsePromptMessages(body, seals);
  rejectPrefill(messages);
  const format = parseFormat(body);
  return {
    model: body.model,
    messages,
    ...thinking,
    ...tools,
    // The client knows the blocks of searches, and citations beside the text.
    ...(tools.search ? { citations: "annotations" as const } : {}),
    ...(format ? { responseFormat: format.responseFormat } : {}),
    ...readSampling(body, samplingNames),
    ...parseLimits(body),
    ...parseAffinity(body),
    ...(body.conversation_id ? { conversation: body.conversation_id } : {}),
    requestedFeatures: [
      ...thinkingFeatures,
      ...toolFeatures,
      ...(format ? [format.feature] : []),
      ...settings(body),
      ...unknownFields(body),
    ],
    stream: body.stream ?? false,
    usage: "early and final",
    principal,
    signal,
  };
}

/** Parses what a body has to be counted; it may end with any message. Throws `invalid_request` with the field. */
export function parsePrompt(body: CountBody, seals: Seals): ParsedPrompt {
  const { tools } = parseTools(body);
  return { messages: parsePromptMessages(body, seals), ...(tools ? { tools } : {}) };
}

function parsePromptMessages({ system, messages }: CountBody, seals: Seals): ChatRequest["messages"] {
  if (messages.length === 0) throw invalidParameter("messages", "at least one message is required");
  return [...readSystem(system), ...readMessages(messages, seals)];
}

/** Kimi answers a message; it cannot go on with words that were put into its mouth. */
function rejectPrefill(messages: ChatRequest["messages"]): void {
  if (messages.findLast(({ role }) => role !== "system")?.role !== "assistant") return;
  throw invalidParameter(
    "messages",
    "the last message is the assistant's, and the model cannot go on in the middle of an answer; end with a message of the user that says how the answer is to begin",
  );
}

/** `output_config.format`, or `output_format` as it was called first. */
function parseFormat(
  body: MessagesBody,
): { responseFormat: ResponseFormat; feature: RequestedFeature } | undefined {
  const parameter = body.output_config?.format ? "output_config.format" : "output_format";
  const value = body.output_config?.format ?? body.output_format;
  if (value === undefined || value === null) return undefined;
  const format = asObject(value);
  const schema = asObject(format?.schema);
  if (format?.type !== "json_schema" || !schema)
    throw invalidParameter(parameter, "expected {type: json_schema, schema}");
  return {
    responseFormat: { type: "json-schema", name: asText(format.name) ?? "answer", schema },
    feature: { parameter, name: "response_format", value, feature: "output-format", isRequired: true },
  };
}

const samplingNames = ["temperature", "top_p", "top_k"] as const;

function parseLimits({ max_tokens, stop_sequences }: MessagesBody): Pick<ChatRequest, "limits"> {
  const stop = (stop_sequences ?? []).filter((text) => text !== "");
  if (typeof max_tokens !== "number" && stop.length === 0) return {};
  return {
    limits: {
      ...(typeof max_tokens === "number" ? { maxTokens: Math.max(1, max_tokens) } : {}),
      ...(stop.length > 0 ? { stop } : {}),
    },
  };
}

/** Claude Code's session: in the JSON of `metadata.user_id`, or at its end in older versions (clients.md §7 row 44). */
function parseAffinity({ metadata }: MessagesBody): Pick<ChatRequest, "affinity"> {
  const user = asText(metadata?.user_id) ?? "";
  const affinity = asText(parseObject(user)?.session_id) ?? /_session_([\w-]+)$/.exec(user)?.[1];
  return isUsableAffinity(affinity) ? { affinity } : {};
}

/** The parameters that need a feature, unless they repeat the default. */
function settings(body: MessagesBody): RequestedFeature[] {
  const set = (name: string, feature: Feature, value: unknown, standardName = name): RequestedFeature[] =>
    value === undefined || value === null ? [] : [{ parameter: name, name: standardName, value, feature }];
  return [
    ...set("temperature", "sampling", body.temperature === 1 ? undefined : body.temperature),
    ...set("top_p", "sampling", body.top_p === 1 ? undefined : body.top_p),
    ...set("top_k", "sampling", body.top_k),
    ...set("max_tokens", "max-tokens", body.max_tokens),
    ...set("stop_sequences", "stop", body.stop_sequences?.length ? body.stop_sequences : undefined, "stop"),
    ...set("conversation_id", "conversation", body.conversation_id || undefined),
  ];
}

const knownNames = new Set(Object.keys(MessagesBody.properties));

function unknownFields(body: MessagesBody): RequestedFeature[] {
  const set = Object.entries(body).filter(
    ([name, value]) => !knownNames.has(name) && value !== null && value !== undefined && value !== false,
  );
  return set.map(([name, value]) => ({ parameter: printableName(name), name, value, feature: "nothing" }));
}
