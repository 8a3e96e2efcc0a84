import { limits } from "../../core/limits.js";
import type { Message, ResponseFormat } from "../../core/types.js";
import { escapeMarkup } from "../tools/escape-markup.js";
import { clip, oneLine } from "../tools/one-line.js";
import { isEmptyMessage } from "../transcript.js";

export type FormatPrompt = {
  /** The schema as it is told; undefined where any object is right. */
  toldSchema: string | undefined;
  /** Whether the model may call a function instead. */
  mayCall: boolean;
  /** A line in front, of `correctionLine`. */
  correction: string | undefined;
};

/**
 * The messages with the description of the format at the end of the last one. It describes and gives no orders: prompts full
 * of these are refused as injections. Messages without any content stay as they are.
 */
export function tellFormat(messages: readonly Message[], prompt: FormatPrompt): Message[] {
  if (messages.every(isEmptyMessage)) return [...messages];
  const text = `\n\n${writeFormat(prompt)}`;
  const last = messages.at(-1);
  if (last?.role === "user" || last?.role === "tool")
    return [...messages.slice(0, -1), { ...last, content: [...last.content, { type: "text", text }] }];
  return [...messages, { role: "user", content: [{ type: "text", text: text.trimStart() }] }];
}

function writeFormat({ toldSchema, mayCall, correction }: FormatPrompt): string {
  const subject = mayCall
    ? "An answer that is no call of a function, and a message with calls has nothing else, is"
    : "The answer is";
  const form =
    toldSchema === undefined
      ? "one JSON object and nothing else: without words around it and without a code fence."
      : "one JSON value and nothing else, without words around it and without a code fence. It fits this JSON Schema:";
  return [
    ...(correction === undefined ? [] : [correction, ""]),
    `A program reads the next message. ${subject} ${form}`,
    ...(toldSchema === undefined ? [] : [toldSchema]),
  ].join("\n");
}

/** Characters that are left for the description beside the schema, a correction included. */
const wordsLength = 2_000;

/** An upper bound of what `tellFormat` adds to the messages. */
export function maxFormatLength(format: ResponseFormat | undefined): number {
  if (!format) return 0;
  const schemaLength = format.type === "json-schema" ? JSON.stringify(format.schema).length : 0;
  return wordsLength + Math.min(schemaLength, limits.formatSchema);
}

/** The line that tells the model what was wrong with an answer. */
export function correctionLine({ answer, problem }: { answer: string; problem: string }): string {
  const quoted = clip(oneLine(answer), limits.quotedCall);
  const found = clip(oneLine(problem), limits.quotedCall);
  return escapeMarkup(
    quoted === ""
      ? `(The program got an empty answer: ${found}.)`
      : `(The program could not read this answer: ${quoted} – ${found}.)`,
  );
}
