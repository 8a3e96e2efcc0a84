import { limits } from "../../core/limits.js";
import type { ChatEvent, EventSink } from "../../core/types.js";
import { asObject, type JsonObject } from "../../lib/json.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import type { MissingSources, SearchSources, SourceWithoutAddress } from "../kimi-shared/search-sources.js";

/** A unary call to the site; `method` as `package.Service/Method`. */
export type UnaryCall = (method: string, body: JsonObject, signal: AbortSignal) => Promise<JsonObject>;

type Answer = {
  readonly sources: SearchSources;
  /** Ids of the chat and of the answer; empty until Kimi has sent them. */
  readonly ids: { chat: string; message: string };
};

/** `isPossible`: whether the account's calls for sources are worth making (docs/protocol/capabilities.md, `tool-blocks`). */
type SourceLookup = {
  call: UnaryCall;
  drift: ProtocolDrift;
  isPossible: boolean;
  sink: EventSink;
  signal: AbortSignal;
};

/**
 * A sink that requests the sources that the answer named without their addresses (kimi-web.md §6 #16) and emits them
 * before the next events. It waits at most `limits.sourceLookup`; what cannot be had is counted as protocol drift.
 */
export function withSourceLookup(
  answer: Answer,
  { call, drift, isPossible, sink, signal }: SourceLookup,
): EventSink {
  if (!isPossible) return sink;
  let requestsLeft: number = limits.sourceLookups;

  const request = async (method: string, body: JsonObject, deadline: AbortSignal) => {
    if (--requestsLeft < 0) throw new Error("too many requests for the sources of one answer");
    return call(`kimi.chat.v1.ChatService/${method}`, body, deadline);
  };

  const requestResult = async (
    { index, reference, blockId }: SourceWithoutAddress,
    deadline: AbortSignal,
  ) => {
    const { chat, message } = answer.ids;
    const body = { chatId: chat, messageId: message, refIndex: reference, blockId };
    const response = await request("GetSearchCitation", body, deadline);
    const { base, searchResult, citation, searchChunk } = response;
    const found = asObject(base ?? searchResult ?? citation ?? searchChunk) ?? {};
    const events: ChatEvent[] = [];
    answer.sources.addAddress(index, asObject(found.base) ?? found, events);
    if (events.length === 0) throw new Error("a search result without an address");
    return events;
  };

  const requestToolBlock = async (toolCallId: string, deadline: AbortSignal) => {
    const response = await request("GetToolBlock", { chatId: answer.ids.chat, toolCallId }, deadline);
    const block = asObject(response.block ?? response.toolBlock) ?? response;
    const events: ChatEvent[] = [];
    answer.sources.addResults((asObject(block.tool) ?? block).contents, events);
    return events;
  };

  /** Events in the order of the results; a tool block's contents may miss addresses themselves. */
  const requestAll = async (missing: MissingSources, deadline: AbortSignal): Promise<ChatEvent[]> => {
    const found = await Promise.allSettled([
      ...missing.toolCalls.map((id) => requestToolBlock(id, deadline)),
      ...missing.results.map((result) => requestResult(result, deadline)),
    ]);
    const events = found.flatMap((outcome) => (outcome.status === "fulfilled" ? outcome.value : []));
    if (found.some(({ status }) => status === "rejected")) drift.record("source", "lookup-failed");
    const more = answer.sources.takeMissing();
    return more ? [...events, ...(await requestAll(more, deadline))] : events;
  };

  return (events) => {
    const missing = answer.sources.takeMissing();
    if (!missing) return events.length > 0 ? sink(events) : undefined;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(limits.sourceLookup)]);
    return requestAll(missing, deadline).then((found) => sink([...found, ...events]));
  };
}
