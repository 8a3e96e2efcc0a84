import { EventSourceParserStream } from "eventsource-parser/stream";
import { ApiError, fieldsOf, isRecord } from "../api-error.js";
import { send } from "../client.js";

export type ContentPart =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string } }
  | { type: "file"; file: { file_id: string } };

/** The body of `POST /v1/chat/completions`, as far as the page fills it in. */
export type CompletionRequest = {
  model: string;
  messages: { role: "user" | "assistant"; content: string | ContentPart[] }[];
  stream: true;
  stream_options: { include_usage: true };
  citations: "annotations";
  thinking?: { type: "enabled" | "disabled" };
  use_search?: boolean;
};

export type Source = { url: string; title: string };
export type TokenUsage = { input: number; output: number; estimated: boolean };

/** What a chunk of the stream brings. */
export type CompletionEvent =
  | { type: "raw"; data: string }
  | { type: "reasoning"; text: string }
  | { type: "text"; text: string }
  | { type: "sources"; sources: Source[] }
  | { type: "searches"; queries: string[] }
  | { type: "usage"; usage: TokenUsage }
  | { type: "finish"; reason: string };

/**
 * Sends the request and passes each part of the answer to `onEvent`. Resolves to the id of the request after a complete
 * answer. Throws ApiError, with the code `upstream_cut` if the stream ends without a finish.
 */
export async function streamCompletion(
  request: CompletionRequest,
  onEvent: (event: CompletionEvent) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(request), signal };
  const response = await send("v1/chat/completions", init);
  const requestId = response.headers.get("x-request-id") ?? undefined;
  let isFinished = false;
  for await (const data of eventData(response, signal)) {
    onEvent({ type: "raw", data });
    for (const event of readChunk(data, requestId)) {
      isFinished ||= event.type === "finish";
      onEvent(event);
    }
  }
  if (isFinished) return requestId;
  const message = "The stream ended before the answer did.";
  throw new ApiError({ code: "upstream_cut", message, requestId });
}

async function* eventData(response: Response, signal: AbortSignal): AsyncGenerator<string> {
  if (response.body === null) return;
  const reader = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      signal.throwIfAborted();
      return { done: true as const, value: undefined };
    });
    if (done) return;
    yield value.data;
  }
}

/** The events of one chunk, checked field by field: it comes from outside. Throws ApiError for an error event. */
function readChunk(data: string, requestId: string | undefined): CompletionEvent[] {
  if (data === "[DONE]") return [];
  const chunk = parseJson(data);
  if (!isRecord(chunk)) return [];
  if (isRecord(chunk.error)) {
    const { code = "internal", message = "", param } = fieldsOf(chunk);
    throw new ApiError({ code, message, param, requestId });
  }
  const choice: unknown = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
  return [...readSearches(chunk), ...(isRecord(choice) ? readChoice(choice) : []), ...readUsage(chunk.usage)];
}

function readChoice({ delta, finish_reason }: Record<string, unknown>): CompletionEvent[] {
  const events: CompletionEvent[] = [];
  if (isRecord(delta)) {
    if (isText(delta.reasoning_content)) events.push({ type: "reasoning", text: delta.reasoning_content });
    if (isText(delta.content)) events.push({ type: "text", text: delta.content });
    if (Array.isArray(delta.annotations))
      events.push({ type: "sources", sources: delta.annotations.flatMap(readSource) });
  }
  if (isText(finish_reason)) events.push({ type: "finish", reason: finish_reason });
  return events;
}

function readSource(annotation: unknown): Source[] {
  const citation = isRecord(annotation) ? annotation.url_citation : undefined;
  if (!isRecord(citation) || !isText(citation.url) || !/^https?:\/\//i.test(citation.url)) return [];
  return [{ url: citation.url, title: isText(citation.title) ? citation.title : citation.url }];
}

function readSearches({ moonbridge_searches: searches }: Record<string, unknown>): CompletionEvent[] {
  return Array.isArray(searches) ? [{ type: "searches", queries: searches.filter(isText) }] : [];
}

function readUsage(usage: unknown): CompletionEvent[] {
  if (!isRecord(usage)) return [];
  const { prompt_tokens: input, completion_tokens: output, estimated } = usage;
  if (typeof input !== "number" || typeof output !== "number") return [];
  return [{ type: "usage", usage: { input, output, estimated: estimated === true } }];
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
