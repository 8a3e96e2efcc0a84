import { limits } from "../../core/limits.js";

/** A stand-in for a letter, by the bytes that it has in UTF-8. */
const letters = ["", "x", "ø", "某", "𠀀"];

/** Whatever can spell something: letters, numbers, combining marks, flags, and tags that nobody sees. */
const telling = /https?:\/\/|(?!\ufe0f)[\p{Alphabetic}\p{M}\p{N}\u{1f1e6}-\u{1f1ff}\u{e0000}-\u{e007f}]/gu;

const opening = "\ue3a0";
const separator = "\ue3a3";
const closing = "\ue3a8";
const markHeads = ["cite", "article"];
const markReference = /^[a-z_]{0,40}(?::\d{0,4}(?:#\d{0,4})?)?$/;

/**
 * Takes the words out of a text and leaves its shape: the same length in characters and in bytes, the same spaces,
 * punctuation and symbols, and the citation marks (kimi-web.md §2.6). The text may come in pieces, with a mark
 * spread over them.
 */
export class Filler {
  /** What stands in the mark that is open; undefined outside of one. */
  #mark: string | undefined;

  fill(text: string): string {
    let filled = "";
    let rest = text;
    while (rest !== "") {
      if (this.#mark === undefined) {
        const end = rest.indexOf(opening);
        filled += withoutWords(end < 0 ? rest : rest.slice(0, end));
        if (end < 0) break;
        filled += opening;
        rest = rest.slice(end + 1);
        this.#mark = "";
      }
      const kept = this.#restOfMark(rest);
      filled += kept;
      rest = rest.slice(kept.length);
    }
    return filled;
  }

  /** As much of the text as belongs to the open mark. */
  #restOfMark(text: string): string {
    for (let at = 0; at < text.length; at++) {
      const mark = this.#mark + text.charAt(at);
      if (text[at] === closing || mark.length > limits.citationMark || !isMark(mark)) {
        this.#mark = undefined;
        return text.slice(0, at);
      }
      this.#mark = mark;
    }
    return text;
  }
}

/** A mark, or the beginning of one; nothing else may hide behind its opening. */
function isMark(text: string): boolean {
  const [head = "", ...references] = text.split(separator);
  return (
    markHeads.some((known) => (references.length > 0 ? known === head : known.startsWith(head))) &&
    references.every((reference) => markReference.test(reference))
  );
}

export function withoutWords(text: string): string {
  return text.replace(telling, (found) => {
    if (found.includes("://")) return found;
    if (/\d/.test(found)) return "0";
    return letters[Buffer.byteLength(found)] ?? "x";
  });
}
