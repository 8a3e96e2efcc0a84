import { limits } from "../../core/limits.js";

/** The replacement of a letter, by its length in UTF-8 bytes. */
const maskByByteLength = ["", "x", "ø", "某", "𠀀"];

/**
 * Characters that are masked, since words are made of them: letters, digits, combining marks, regional indicators and
 * invisible tags. `https://` matches too, to be left as it is.
 */
const maskable = /https?:\/\/|(?!\ufe0f)[\p{Alphabetic}\p{M}\p{N}\u{1f1e6}-\u{1f1ff}\u{e0000}-\u{e007f}]/gu;

const markStart = "\ue3a0";
const separator = "\ue3a3";
const markEnd = "\ue3a8";
const markTypes = ["cite", "article"];
const markReference = /^[a-z_]{0,40}(?::\d{0,4}(?:#\d{0,4})?)?$/;

/**
 * Masks text: keeps its length in characters and bytes, its spaces, punctuation and symbols, and its citation marks
 * (kimi-web.md §2.6). The text may arrive in pieces that split a mark.
 */
export class TextMasker {
  /** The content so far of an open citation mark; undefined outside of one. */
  #openMark: string | undefined;

  mask(text: string): string {
    let masked = "";
    let rest = text;
    while (rest !== "") {
      if (this.#openMark === undefined) {
        const end = rest.indexOf(markStart);
        masked += maskLetters(end < 0 ? rest : rest.slice(0, end));
        if (end < 0) break;
        masked += markStart;
        rest = rest.slice(end + 1);
        this.#openMark = "";
      }
      const markPart = this.#takeMark(rest);
      masked += markPart;
      rest = rest.slice(markPart.length);
    }
    return masked;
  }

  /** The leading part of the text that belongs to the open mark. */
  #takeMark(text: string): string {
    for (let index = 0; index < text.length; index++) {
      const mark = this.#openMark + text.charAt(index);
      if (text[index] === markEnd || mark.length > limits.citationMark || !isMarkPrefix(mark)) {
        this.#openMark = undefined;
        return text.slice(0, index);
      }
      this.#openMark = mark;
    }
    return text;
  }
}

/** True for a citation mark or a prefix of one; anything else after an opening character is masked. */
function isMarkPrefix(text: string): boolean {
  const [type = "", ...references] = text.split(separator);
  return (
    markTypes.some((known) => (references.length > 0 ? known === type : known.startsWith(type))) &&
    references.every((reference) => markReference.test(reference))
  );
}

/** Masks the letters and digits of a text, each by a character of the same length in UTF-8. */
export function maskLetters(text: string): string {
  return text.replace(maskable, (match) => {
    if (match.includes("://")) return match;
    if (/\d/.test(match)) return "0";
    return maskByByteLength[Buffer.byteLength(match)] ?? "x";
  });
}
