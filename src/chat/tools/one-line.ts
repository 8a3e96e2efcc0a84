import { cutPosition } from "../../lib/text-chunks.js";

/** A text without line breaks, which stand for the beginning of another entry in what the model reads. */
export function oneLine(text: string): string {
  const lines = text.split(/[\r\n\u2028\u2029]+/).map((line) => line.trim());
  return lines.filter((line) => line !== "").join(" ");
}

/** The beginning of a text, at most so many characters with the `…` at its end; no surrogate pair is split. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, cutPosition(text, length - 1))}…`;
}
