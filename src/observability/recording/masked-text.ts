import { limits } from "../../core/limits.js";

/** The replacement of a letter, by its length in UTF-8 bytes. */
const maskByByteLength = ["", "x", "ø", "某", "𠀀"];

/** Characters that can carry words: letters, digits, combining marks, regional indicators and invisible tags. */
const revealing = /https?:\/\/|(?!\ufe0f)[\p{Alphabetic}\p{M}\p{N}\u{1f1e6}-\u{1f1ff}\u{e0000}-\u{e007f}]/gu;

const opening = "\ue3a0";
const separator = "\ue3a3";
const closing = "\ue3a8";
const markHeads = ["cite", "article"];
const markReference = /^[a-z_]{0,40}(?::\d{0,4}(?:#\d{0,4})?)?$/;

/**
 * Masks text: keeps its length in characters and bytes, its spaces, punctuation and symbols, and its citation marks
 * (kimi-web.md §2.6). The text may arrive in pieces that split a mark.
 */
export class TextMasker {
  /** The content so far of an open citation mark; undefined outside of one. */
  #openMark: string | undefined;

  mask(text: string): string {
    let filled = "";
    let rest = text;
    while (rest !== "") {
      if (this.#openMark === undefined) {
        const end = rest.indexOf(opening);
        filled += maskLetters(end < 0 ? rest : rest.slice(0, end));
        if (end < 0) break;
        filled += opening;
        rest = rest.slice(end + 1);
        this.#openMark = "";
      }
      const kept = this.#takeMark(rest);
      filled += kept;
      rest = rest.slice(kept.length);
    }
    return filled;
  }

  /** The leading part of the text that belongs to the open mark. */
  #takeMark(text: string): string {
    for (let at = 0; at < text.length; at++) {
      const mark = this.#openMark + text.charAt(at);
      if (text[at] === closing || mark.length > limits.citationMark || !isMark(mark)) {
        this.#openMark = undefined;
        return text.slice(0, at);
      }
      this.#openMark = mark;
    }
    return text;
  }
}

/** True for a citation mark or a prefix of one; anything else after an opening character is masked. */
function isMark(text: string): boolean {
  const [head = "", ...references] = text.split(separator);
  return (
    markHeads.some((known) => (references.length > 0 ? known === head : known.startsWith(head))) &&
    references.every((reference) => markReference.test(reference))
  );
}

export function maskLetters(text: string): string {
  return text.replace(revealing, (found) => {
    if (found.includes("://")) return found;
    if (/\d/.test(found)) return "0";
    return maskByByteLength[Buffer.byteLength(found)] ?? "x";
  });
}
