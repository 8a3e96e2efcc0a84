import { expect } from "vitest";
import { readMessageStream, textOfBlocks } from "../api/anthropic-messages/message-stream.js";
import { parseEvents, textOfEvents } from "../api/openai-responses/event-stream.js";
import { apiKey, contentOf, type Gateway, parseChunks } from "../gateway.js";

/** A finished stream. `finishes`: the reasons of all its regular ends, of which there is one at most. */
type StreamedAnswer = { text: string; finishes: string[]; error?: unknown };

/** A dialect as tests see it that hold for all of them. Reasons have the same names in all dialects. */
export type TestedDialect = {
  name: string;
  path: string;
  /** Sent with each request. */
  headers?: { [name: string]: string };
  body(text: string, stream: boolean): object;
  /** Throws if the stream is not in the dialect's strict form. */
  parseStream(body: string): StreamedAnswer;
  parseWhole(body: string): { text: string; finish: string };
  /** Matches an error, as a body or at the end of a stream. */
  error(code: string): object;
  /** Matches an error at the end of a stream, if it has another form there. */
  streamError?(code: string): object;
  /** Whether a stream that fails before its first content ends with an event instead of an HTTP status. */
  failsInStream?(code: string): boolean;
  /** The status of an error, where the dialect has one of its own. */
  status?(code: string): number | undefined;
};

/** A sentence that tells a person what is wrong. */
const sentence = expect.stringMatching(/\w.*[.”?]$/s);

type Record = { message?: { content: string }; done?: boolean; done_reason?: string; error?: string };

function parseLines(body: string): Record[] {
  if (body.includes("\r") || !body.endsWith("\n")) throw new Error("not strict JSON lines");
  return body
    .trimEnd()
    .split("\n")
    .map((line): Record => {
      if (Buffer.byteLength(line) > 60_000) throw new Error("a line over 60,000 bytes");
      return JSON.parse(line);
    });
}

/** Codes of `response.failed` by those of chat completions; default `server_error`. */
const failureCodes: Partial<{ [code: string]: string }> = {
  upstream_overloaded: "server_is_overloaded",
  account_login_required: "invalid_prompt",
  rate_limit_exceeded: "invalid_prompt",
  account_busy: "invalid_prompt",
  chat_busy: "invalid_prompt",
  insufficient_quota: "insufficient_quota",
  context_length_exceeded: "context_length_exceeded",
  content_filter: "invalid_prompt",
};

export const testedDialects: readonly TestedDialect[] = [
  {
    name: "openai-chat",
    path: "/v1/chat/completions",
    body: (content, stream) => ({ model: "kimi", messages: [{ role: "user", content }], stream }),
    parseStream: (body) => {
      const chunks = parseChunks(body);
      const error = chunks.at(-1)?.error === undefined ? {} : { error: chunks.at(-1) };
      const answer = chunks.filter((chunk) => chunk.error === undefined);
      const finishes = answer.flatMap(({ choices }) => choices[0]?.finish_reason ?? []);
      return { text: contentOf(answer), finishes, ...error };
    },
    parseWhole: (body) => {
      const { message, finish_reason } = JSON.parse(body).choices[0];
      return { text: message.content, finish: finish_reason };
    },
    error: (code) => ({ error: { message: sentence, type: expect.any(String), param: null, code } }),
  },
  {
    name: "openai-responses",
    path: "/v1/responses",
    // As Codex sends it.
    headers: { accept: "text/event-stream" },
    body: (input, stream) => ({ model: "kimi", input, stream }),
    parseStream: (body) => {
      const events = parseEvents(body);
      const end = events.at(-1);
      const { status, incomplete_details, error } = Object(end?.response);
      const isFailed = end?.type === "response.failed";
      return {
        text: textOfEvents(events),
        finishes: isFailed ? [] : [finishOf(status, incomplete_details)],
        ...(isFailed ? { error } : {}),
      };
    },
    parseWhole: (body) => {
      const { output, status, incomplete_details } = JSON.parse(body);
      const text = output.flatMap(({ content = [] }) => content).map((part: { text: string }) => part.text);
      return { text: text.join(""), finish: finishOf(status, incomplete_details) };
    },
    error: (code) => ({ error: { message: sentence, type: expect.any(String), param: null, code } }),
    streamError: (code) => ({ code: failureCodes[code] ?? "server_error", message: sentence }),
    failsInStream: (code) => code !== "content_filter" && code !== "not_found",
  },
  {
    name: "ollama",
    path: "/api/chat",
    body: (content, stream) => ({ model: "kimi", messages: [{ role: "user", content }], stream }),
    parseStream: (body) => {
      const records = parseLines(body);
      const last = records.at(-1);
      if (last?.done !== true && last?.error === undefined) throw new Error("the stream has no end");
      return {
        text: records.map(({ message }) => message?.content ?? "").join(""),
        finishes: records.flatMap(({ done, done_reason }) => (done ? [String(done_reason)] : [])),
        ...(last.error === undefined ? {} : { error: last }),
      };
    },
    parseWhole: (body) => {
      const { message, done_reason } = JSON.parse(body);
      return { text: message.content, finish: done_reason };
    },
    error: () => ({ error: sentence }),
  },
  {
    name: "anthropic-messages",
    path: "/v1/messages",
    body: (content, stream) => ({
      model: "kimi",
      max_tokens: 4_096,
      messages: [{ role: "user", content }],
      stream,
    }),
    parseStream: (body) => {
      const { blocks, stopReason, error } = readMessageStream(body);
      const finishes = stopReason === undefined ? [] : [reasonNames[stopReason] ?? stopReason];
      return { text: textOfBlocks(blocks), finishes, ...(error ? { error } : {}) };
    },
    parseWhole: (body) => {
      const { content, stop_reason } = JSON.parse(body);
      return { text: textOfBlocks(content), finish: reasonNames[stop_reason] ?? stop_reason };
    },
    error: (code) => ({
      type: "error",
      error: { type: errorTypes[code] ?? "api_error", message: sentence },
      request_id: expect.stringMatching(/^req_/),
    }),
    status: (code) => (code === "upstream_overloaded" ? 529 : undefined),
  },
];

function finishOf(status: string, details: { reason: string } | null): string {
  if (status === "completed") return "stop";
  return details?.reason === "max_output_tokens" ? "length" : String(details?.reason);
}

const reasonNames: { [reason: string]: string } = {
  end_turn: "stop",
  max_tokens: "length",
  refusal: "content_filter",
};

const errorTypes: { [code: string]: string } = {
  upstream_overloaded: "overloaded_error",
  rate_limit_exceeded: "rate_limit_error",
  insufficient_quota: "rate_limit_error",
  timeout: "timeout_error",
  not_found: "not_found_error",
  context_length_exceeded: "invalid_request_error",
  content_filter: "invalid_request_error",
};

/** Sends one user message over a dialect. */
export function ask(
  gateway: Gateway,
  dialect: TestedDialect,
  text: string,
  { stream, key = apiKey, signal }: { stream: boolean; key?: string; signal?: AbortSignal },
): Promise<Response> {
  return fetch(`${gateway.url}${dialect.path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...dialect.headers },
    body: JSON.stringify(dialect.body(text, stream)),
    ...(signal ? { signal } : {}),
  });
}
