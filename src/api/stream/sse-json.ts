import { limits } from "../../core/limits.js";

/** A character takes at most six bytes in JSON, so a piece this long stays under the line limit. */
const longestPiece = Math.floor((limits.eventLine - 1_000) / 6);

/** Characters besides LF at which some readers end a line; JSON has them inside strings only. */
const lineBreaking = /[\u0085\u2028\u2029]/g;

/** One event of the stream. */
export function eventLine(json: string): string {
  return `data: ${json}\n\n`;
}

/** A value as JSON that no line reader breaks. */
export function quote(value: unknown): string {
  return escaped(JSON.stringify(value));
}

/** A character that does not stand for itself in JSON or on a line; halves of characters are left to JSON. */
const special = /[^ !#-[\]-\u0084\u0086-\u2027\u202a-\ud7ff\ue000-\uffff]/;

/** What stands between the quotes of a text as JSON. Most deltas are as they are, and looking is cheaper than quoting. */
export function inQuotes(text: string): string {
  return special.test(text) ? quote(text).slice(1, -1) : text;
}

/** The same JSON on one line, for every reader. */
export function unbroken(json: string): string {
  return escaped(json.replace(/[\r\n]/g, " "));
}

function escaped(json: string): string {
  // Almost no delta has one, and looking is cheaper than replacing.
  if (json.search(lineBreaking) === -1) return json;
  return json.replace(
    lineBreaking,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The same text in pieces that fit into a line each; never half a character. */
export function pieces(text: string): string[] {
  if (text.length <= longestPiece) return [text];
  const cut: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = pieceEnd(text, at);
    cut.push(text.slice(at, end));
    at = end;
  }
  return cut;
}

function pieceEnd(text: string, from: number): number {
  const end = Math.min(from + longestPiece, text.length);
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}
