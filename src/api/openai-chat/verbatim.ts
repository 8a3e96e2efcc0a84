import { limits } from "../../core/limits.js";
import type { Usage } from "../../core/types.js";
import { asObject, type JsonObject, objectsIn, parseObject } from "../../lib/json.js";
import { encodeEvent, encodeJson, splitText, toSingleLine } from "../stream/stream-json.js";
import { usageObject } from "./usage.js";

/** Writes the chunks of an upstream that uses this dialect itself, unchanged. Methods return the text to send. */
export class VerbatimWriter {
  readonly #includeUsage: boolean;
  #pendingChunk = "";
  #lastChunk = "";
  #isUsageSent = false;

  constructor(includeUsage: boolean) {
    this.#includeUsage = includeUsage;
  }

  /**
   * Holds back the first chunk, which has only the role, until the next one or `flush`: until then an error can set the
   * HTTP status.
   */
  writeChunk(json: string, usageOnly: boolean): string {
    // A chunk without choices breaks clients that have not asked for it (clients.md §7 row 33).
    if (usageOnly && !this.#includeUsage) return "";
    this.#isUsageSent ||= usageOnly;
    const isFirst = this.#lastChunk === "";
    this.#lastChunk = json;
    const lines = encodeChunk(json);
    if (!isFirst) return this.flush() + lines;
    this.#pendingChunk = lines;
    return "";
  }

  /** A chunk with this text and the head of the upstream's chunks. */
  writeText(text: string): string {
    const choice = { index: 0, delta: { content: text }, finish_reason: null };
    return this.flush() + encodeChunk(encodeJson({ ...this.#chunkHead(), choices: [choice] }));
  }

  /** Returns the chunk that was held back. */
  flush(): string {
    const pendingChunk = this.#pendingChunk;
    this.#pendingChunk = "";
    return pendingChunk;
  }

  /** The end of a finished answer; adds a usage chunk unless the upstream has sent one. */
  end(usage: Usage | undefined): string {
    const usageChunk = usage && !this.#isUsageSent ? this.#usageChunk(usage) : "";
    return `${this.flush()}${usageChunk}data: [DONE]\n\n`;
  }

  #usageChunk(usage: Usage): string {
    return encodeEvent(encodeJson({ ...this.#chunkHead(), choices: [], usage: usageObject(usage) }));
  }

  #chunkHead() {
    const { id, object, created, model } = parseObject(this.#lastChunk) ?? {};
    return { id, object, created, model };
  }
}

/** The chunk unchanged, or split into several if its line is too long for clients (clients.md §0.5). */
function encodeChunk(json: string): string {
  const line = encodeEvent(toSingleLine(json));
  // A UTF-16 code unit has at most three bytes, so the length in bytes is rarely needed.
  if (line.length * 3 <= limits.sseLine || Buffer.byteLength(line) <= limits.sseLine) return line;
  const chunk = parseObject(json);
  return chunk
    ? splitChunk(chunk)
        .map((part) => encodeEvent(encodeJson(part)))
        .join("")
    : line;
}

/** Several chunks that add up to this one; finish reason and usage come with the last. */
function splitChunk(chunk: JsonObject): JsonObject[] {
  const [choice, ...others] = objectsIn(chunk.choices);
  const delta = asObject(choice?.delta);
  if (!delta || others.length > 0) return [chunk];
  const { usage: _, ...head } = chunk;
  const deltas = splitDelta(delta);
  return deltas.map((piece, index) =>
    index === deltas.length - 1
      ? { ...chunk, choices: [{ ...choice, delta: piece }] }
      : { ...head, choices: [{ index: choice?.index ?? 0, delta: piece, finish_reason: null }] },
  );
}

const textFields = ["reasoning_content", "reasoning", "content"];

function splitDelta(delta: JsonObject): JsonObject[] {
  const texts = textFields.flatMap((field) => {
    const text = delta[field];
    return typeof text === "string" ? splitText(text).map((piece) => ({ [field]: piece })) : [];
  });
  const calls = objectsIn(delta.tool_calls).flatMap(splitCall);
  const [first, ...more] = [...texts, ...calls.map((call) => ({ tool_calls: [call] }))];
  const rest = Object.entries(delta).filter(
    ([field, value]) => field !== "tool_calls" && !(textFields.includes(field) && typeof value === "string"),
  );
  return [{ ...Object.fromEntries(rest), ...first }, ...more];
}

function splitCall(call: JsonObject): JsonObject[] {
  const callee = asObject(call.function);
  if (typeof callee?.arguments !== "string") return [call];
  const [first, ...more] = splitText(callee.arguments);
  return [
    { ...call, function: { ...callee, arguments: first } },
    ...more.map((piece) => ({ index: call.index, function: { arguments: piece } })),
  ];
}
