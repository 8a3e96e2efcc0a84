import { limits } from "../../core/limits.js";
import { textChunks } from "../../lib/text-chunks.js";

/** A UTF-16 code unit takes at most six bytes in JSON, so a piece of this length stays under `limits.sseLine`. */
const maxPieceLength = Math.floor((limits.sseLine - 1_000) / 6);

/** Characters besides LF and CR at which some readers end a line; in JSON they occur only inside strings. */
const lineBreaks = /[\u0085\u2028\u2029]/g;

export const eventStreamType = "text/event-stream; charset=utf-8";

/** One server-sent event with this JSON as its data. */
export function encodeEvent(json: string): string {
  return `data: ${json}\n\n`;
}

/** Encodes a value as JSON on a single line, without characters at which some readers end a line. */
export function encodeJson(value: unknown): string {
  return escapeLineBreaks(JSON.stringify(value));
}

/** A character that JSON or a line reader needs escaped; lone surrogates are left to `JSON.stringify`. */
const needsEscape = /[^ !#-[\]-\u0084\u0086-\u2027\u202a-\ud7ff\ue000-\uffff]/;

/** A text as JSON without the quotes. Most deltas need no escape, and the test is cheaper than `JSON.stringify`. */
export function escapeText(text: string): string {
  return needsEscape.test(text) ? encodeJson(text).slice(1, -1) : text;
}

/** The same JSON on a single line, without characters at which some readers end a line. */
export function toSingleLine(json: string): string {
  return escapeLineBreaks(json.replace(/[\r\n]/g, " "));
}

function escapeLineBreaks(json: string): string {
  // Almost no delta has one, and `search` is cheaper than `replace`.
  if (json.search(lineBreaks) === -1) return json;
  return json.replace(
    lineBreaks,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Splits a text into pieces that fit into a line each, never between surrogates. */
export function splitText(text: string): string[] {
  return text.length <= maxPieceLength ? [text] : [...textChunks(text, maxPieceLength)];
}
