import { limits } from "../../core/limits.js";
import type { Usage } from "../../core/types.js";
import { asObject, type JsonObject, objectsIn, parseObject } from "../../lib/json.js";
import { eventLine, pieces, quote, unbroken } from "../stream/sse-json.js";
import { usageObject } from "./usage.js";

/** The stream of an answer whose upstream speaks this dialect itself: its own chunks, byte by byte. */
export class VerbatimWriter {
  readonly #includeUsage: boolean;
  #held = "";
  #last = "";
  #usageTold = false;

  constructor(includeUsage: boolean) {
    this.#includeUsage = includeUsage;
  }

  /** The first chunk tells only who speaks: it waits for the second, or until something has been said. */
  chunk(json: string, usageOnly: boolean): string {
    // A chunk without choices breaks clients that have not asked for it (clients.md row 33).
    if (usageOnly && !this.#includeUsage) return "";
    this.#usageTold ||= usageOnly;
    const isFirst = this.#last === "";
    this.#last = json;
    const lines = chunkLines(json);
    if (!isFirst) return this.said() + lines;
    this.#held = lines;
    return "";
  }

  /** Something of the answer has been said: nothing waits any more. */
  said(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  /** The honest end. */
  end(usage: Usage | undefined): string {
    const told = usage && !this.#usageTold ? this.#usageChunk(usage) : "";
    return `${this.said()}${told}data: [DONE]\n\n`;
  }

  #usageChunk(usage: Usage): string {
    const { id, object, created, model } = parseObject(this.#last) ?? {};
    return eventLine(quote({ id, object, created, model, choices: [], usage: usageObject(usage) }));
  }
}

/** One chunk as it is, unless its line is longer than clients read (clients.md §0.5). */
function chunkLines(json: string): string {
  const line = eventLine(unbroken(json));
  // Most lines need not even be measured: a character has at most three bytes.
  if (line.length * 3 <= limits.eventLine || Buffer.byteLength(line) <= limits.eventLine) return line;
  const chunk = parseObject(json);
  return chunk
    ? split(chunk)
        .map((part) => eventLine(quote(part)))
        .join("")
    : line;
}

/** The chunk as several that add up to it; its end and what was counted come with the last. */
function split(chunk: JsonObject): JsonObject[] {
  const [choice, ...others] = objectsIn(chunk.choices);
  const delta = asObject(choice?.delta);
  if (!delta || others.length > 0) return [chunk];
  const { usage: _, ...head } = chunk;
  const deltas = splitDelta(delta);
  return deltas.map((piece, at) =>
    at === deltas.length - 1
      ? { ...chunk, choices: [{ ...choice, delta: piece }] }
      : { ...head, choices: [{ index: choice?.index ?? 0, delta: piece, finish_reason: null }] },
  );
}

const spoken = ["reasoning_content", "reasoning", "content"];

function splitDelta(delta: JsonObject): JsonObject[] {
  const texts = spoken.flatMap((field) => {
    const text = delta[field];
    return typeof text === "string" ? pieces(text).map((piece) => ({ [field]: piece })) : [];
  });
  const calls = objectsIn(delta.tool_calls).flatMap(splitCall);
  const [first, ...more] = [...texts, ...calls.map((call) => ({ tool_calls: [call] }))];
  const rest = Object.entries(delta).filter(
    ([field, value]) => field !== "tool_calls" && !(spoken.includes(field) && typeof value === "string"),
  );
  return [{ ...Object.fromEntries(rest), ...first }, ...more];
}

function splitCall(call: JsonObject): JsonObject[] {
  const called = asObject(call.function);
  if (typeof called?.arguments !== "string") return [call];
  const [first, ...more] = pieces(called.arguments);
  return [
    { ...call, function: { ...called, arguments: first } },
    ...more.map((piece) => ({ index: call.index, function: { arguments: piece } })),
  ];
}
