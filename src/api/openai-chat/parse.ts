import { type ChatRequest, type CitationMode, citationModes, type Principal } from "../../core/types.js";
import { invalidParameter } from "../invalid-parameter.js";
import { unknownParameterError } from "../unknown-parameters.js";
import { parseAnswerForm } from "./answer-form.js";
import { findParameter, parameterNames } from "./client-parameters.js";
import { hasNestedMessages, readMessage, toStandardMessages } from "./messages.js";
import { requestedFeatures } from "./requested-features.js";
import type { ChatCompletionBody } from "./schema.js";
import { containers, toStandardBody } from "./standard-body.js";
import { parseSearch, parseThinking } from "./thinking-and-search.js";

export type ParseOptions = {
  unknownParameters: "reject" | "ignore";
  principal: Principal;
  signal: AbortSignal;
};

/** Parses a schema-valid body. Throws `unknown_parameter` or `invalid_request` with the field and what was expected. */
export function parseChatCompletion(original: ChatCompletionBody, options: ParseOptions): ChatRequest {
  if (options.unknownParameters === "reject") rejectUnknownParameters(original);
  const { body, sent, parameters } = toStandardBody(original);
  if ((body.n ?? 1) !== 1)
    throw invalidParameter("n", "only one answer at a time; leave n out or set it to 1");
  if (body.modalities?.some((kind) => kind !== "text"))
    throw invalidParameter("modalities", 'only ["text"] is possible');
  const search = parseSearch(body);
  const thinking = parseThinking(body);
  const hasNested = hasNestedMessages(body.messages);
  const messages = toStandardMessages(body.messages);
  // kimi-free-api always streamed and its users' code relies on it; they are recognised by its nested messages.
  const stream = body.stream ?? hasNested;
  return {
    model: body.model || "kimi",
    messages: messages.map(readMessage),
    ...(search === undefined ? {} : { search }),
    ...(thinking === undefined ? {} : { thinking }),
    ...parseConversation(body),
    ...parseCitations(body),
    ...parseAnswerForm(body),
    requestedFeatures: requestedFeatures(parameters),
    stream,
    usage: reportsUsage(body, stream) ? "final" : "none",
    // No upstream knows nested messages.
    ...(hasNested
      ? {}
      : {
          originalRequest: {
            dialect: "openai-chat",
            body: { ...sent, messages: messages.map(({ message }) => message) },
            engineOptions: Object.keys(sent).filter(isEngineOption),
          },
        }),
    principal: options.principal,
    signal: options.signal,
  };
}

function reportsUsage({ stream_options, usage }: ChatCompletionBody, stream: boolean): boolean {
  return !stream || stream_options?.include_usage === true || usage?.include === true;
}

function isEngineOption(name: string): boolean {
  const parameter = findParameter(name);
  return parameter?.effect === "passed on" && parameter.feature === "engine-options";
}

/** Throws `unknown_parameter` for one that no known client sends, those in `options` and `extra_body` included. */
function rejectUnknownParameters(body: ChatCompletionBody): void {
  const reject = (parameters: object, prefix: string) => {
    const unknown = Object.keys(parameters).find((name) => findParameter(name) === undefined);
    if (unknown !== undefined) throw unknownParameterError(`${prefix}${unknown}`, parameterNames);
  };
  reject(body, "");
  for (const container of containers) reject(body[container] ?? {}, `${container}.`);
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
