/**
 * The tag of a call is `<call-WORD>`, where WORD are four characters [a-z0-9] that are made for each chat. In everything
 * that the model reads but our own lines, such a tag gets one more underscore, whatever its word: `<call-7f3k>` becomes
 * `<call_-7f3k>`, and that `<call__-7f3k>`. So no text can imitate a call, and removing one underscore gives back any text.
 */
const tag = /(<\/?call_*)(-[a-z0-9]{4})/gi;

/** Escapes the tags of calls in a text that the model will read. `unescapeMarkup` and `MarkupUnescaper` undo it. */
export function escapeMarkup(text: string): string {
  return text.replace(tag, "$1_$2");
}

/** `json`: the text is JSON, in which any character of a tag may be written as an escape sequence. */
export type MarkupSyntax = "text" | "json";

/** Undoes `escapeMarkup` in a whole text; in JSON in all strings, keys included. */
export function unescapeMarkup(text: string, syntax: MarkupSyntax = "text"): string {
  const unescaper = new MarkupUnescaper(syntax);
  return unescaper.add(text) + unescaper.end();
}

/** A tag up to its underscores. */
const beginnings = ["<call", "</call"];
const wordCharacter = /^[a-z0-9]$/i;
const wordLength = 4;

/**
 * Undoes `escapeMarkup` in a text that comes in pieces: the results, concatenated, are the same for every division. Holds
 * back at most the beginning of a tag with one underscore.
 */
export class MarkupUnescaper {
  readonly #isJson: boolean;
  /** An unfinished escape sequence of JSON. */
  #sequence = "";
  /** What was read of a tag, decoded and without its underscores. */
  #matched = "";
  /** The same as it is written, as far as it was not returned. */
  #held = "";
  #hasUnderscore = false;

  constructor(syntax: MarkupSyntax = "text") {
    this.#isJson = syntax === "json";
  }

  add(piece: string): string {
    let output = "";
    for (let position = 0; position < piece.length; ) {
      if (this.#matched === "" && this.#sequence === "") {
        const next = this.#findStart(piece, position);
        output += piece.slice(position, next);
        position = next;
        if (position === piece.length) break;
      }
      output += this.#read(piece.charAt(position++));
    }
    return output;
  }

  /** Returns what is still held back. */
  end(): string {
    const rest = this.#held + this.#sequence;
    this.#sequence = "";
    this.#reset();
    return rest;
  }

  /** The position of the next character with which a tag or an escape sequence may begin. */
  #findStart(piece: string, from: number): number {
    const bracket = piece.indexOf("<", from);
    const end = bracket === -1 ? piece.length : bracket;
    if (!this.#isJson) return end;
    const backslash = piece.indexOf("\\", from);
    return backslash === -1 ? end : Math.min(end, backslash);
  }

  #read(character: string): string {
    if (!this.#isJson || (this.#sequence === "" && character !== "\\"))
      return this.#match(character, character);
    this.#sequence += character;
    const { length } = this.#sequence;
    if (length < (this.#sequence.charAt(1) === "u" ? 6 : 2)) return "";
    const sequence = this.#sequence;
    this.#sequence = "";
    return this.#match(decodeSequence(sequence), sequence);
  }

  /** Advances by one character: what it means, and how it is written. Returns what cannot be changed any more. */
  #match(character: string, written: string): string {
    if (beginnings.includes(this.#matched) && character === "_") return this.#holdUnderscore(written);
    const matched = this.#matched + toLowerCase(character);
    if (!this.#isBeginning(matched)) return this.#fail(character, written);
    this.#matched = matched;
    this.#held += written;
    const word = matched.length - matched.indexOf("-") - 1;
    return matched.includes("-") && word === wordLength ? this.#removeUnderscore() : "";
  }

  #isBeginning(matched: string): boolean {
    const dash = matched.indexOf("-");
    if (dash === -1) return beginnings.some((beginning) => beginning.startsWith(matched));
    if (!this.#hasUnderscore || !beginnings.includes(matched.slice(0, dash))) return false;
    return matched.endsWith("-") ? dash === matched.length - 1 : wordCharacter.test(matched.slice(-1));
  }

  /** All underscores but the last are returned at once, so that a long run of them is not held. */
  #holdUnderscore(written: string): string {
    const output = this.#hasUnderscore ? this.#held : "";
    this.#held = this.#hasUnderscore ? written : this.#held + written;
    this.#hasUnderscore = true;
    return output;
  }

  #removeUnderscore(): string {
    const output = this.#held.replace(/_|\\u005f/i, "");
    this.#reset();
    return output;
  }

  /** It is no tag; the character may begin another one. */
  #fail(character: string, written: string): string {
    const output = this.#held;
    this.#reset();
    if (character !== "<") return output + written;
    this.#matched = character;
    this.#held = written;
    return output;
  }

  #reset(): void {
    this.#matched = "";
    this.#held = "";
    this.#hasUnderscore = false;
  }
}

/** The character that an escape sequence of JSON means, as far as it can be a part of a tag. */
function decodeSequence(sequence: string): string {
  if (sequence === "\\/") return "/";
  const code = /^\\u([0-9a-f]{4})$/i.exec(sequence)?.[1];
  return code === undefined ? "\\" : String.fromCharCode(Number.parseInt(code, 16));
}

/** For ASCII alone, as the pattern of `escapeMarkup` matches. */
function toLowerCase(character: string): string {
  return /^[A-Z]$/.test(character) ? character.toLowerCase() : character;
}
