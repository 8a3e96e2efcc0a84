import type { Static } from "@sinclair/typebox";
import { type JournalEntry, outcomeOf } from "../../core/journal.js";
import { isoTime } from "./schemas/field.js";
import type { RequestAnswer, RequestDetailAnswer } from "./schemas/request.js";

/** An ended request on the wire, without its texts. */
export function requestObject(entry: JournalEntry): Static<typeof RequestAnswer> {
  const { usage } = entry;
  return {
    id: entry.id,
    object: "request",
    started_at: isoTime(entry.endedAt - entry.duration),
    ended_at: isoTime(entry.endedAt),
    method: entry.method,
    route: entry.route,
    dialect: entry.dialect ?? null,
    key: entry.key ?? null,
    status: entry.status,
    outcome: outcomeOf(entry),
    error_code: entry.failure ?? null,
    upstream_code: entry.upstreamCode ?? null,
    upstream: entry.upstream ?? null,
    model: entry.model ?? null,
    chat: entry.chat ?? null,
    attempts: entry.attempts,
    duration_ms: entry.duration,
    waited_ms: entry.waited ?? null,
    first_output_ms: entry.firstOutput ?? null,
    finish: entry.finish ?? null,
    input_tokens: usage?.input ?? null,
    cached_tokens: usage?.cached ?? null,
    output_tokens: usage?.output ?? null,
    reasoning_tokens: usage?.reasoning ?? null,
    estimated: usage?.estimated ?? false,
    ignored: [...(entry.ignored ?? [])],
    trace_id: entry.traceId ?? null,
  };
}

/** An ended request with its texts, if they were kept. */
export function requestDetailObject(entry: JournalEntry): Static<typeof RequestDetailAnswer> {
  const { texts } = entry;
  return {
    ...requestObject(entry),
    texts: texts
      ? {
          ...{ prompt: texts.prompt, prompt_length: texts.promptLength, earlier_messages: texts.earlier },
          ...{ answer: texts.answer, answer_length: texts.answerLength },
        }
      : null,
  };
}
