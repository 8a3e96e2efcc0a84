import { limits } from "../../core/limits.js";
import { cutPosition } from "../../lib/text-chunks.js";

/**
 * A part of an answer's text: plain text, or a citation mark with its references. `bare`: the mark as it stands in the text,
 * if it is a reference without a mark around it; it is one only if there is such a source.
 */
export type TextSegment = { type: "text"; text: string } | { type: "mark"; refs: string[]; bare?: string };

/** Whether the answer has searched, so that a reference without a mark around it can be one. */
type Search = { readonly hasSearched: boolean };

const markStart = "\ue3a0";
const markEnd = "\ue3a8";
const separators = /\ue3a3|\u{1f6e0}/u;
/** One source records the separator and the end of a mark as these two emoji (kimi-web.md §2.6). */
const emojiMarkStart = /\ue3a0[a-z]*\u{1f6e0}/uy;
const emojiMarkEnd = "\u{1f3a8}";

const mayNeedParsing = /[\ue000-\uf8ff[\ud800-\udbff]/;
const mayHaveReference = /[\ue000-\uf8ff[\ud800-\udbff]|w(?:e(?:b(?:_|$)|$)|$)/;
const privateUse = /[\ue000-\uf8ff]/g;
/** An incomplete `[^12^]` at the end of a text. */
const openBracketMark = /\[(?:\^(?:\d{1,6}\^?)?)?$/;
const bracketMark = /\[\^(\d{1,6})\^\]/g;
/** A reference without a mark around it, with the separators beside it; and an incomplete one at the end of a text. */
const bareReference = /(?:\ue3a3|\u{1f6e0})?(web_search:\d{1,4}#\d{1,4})(?!\d)(?:\ue3a3|\u{1f6e0})?/gu;
const openBareReference =
  /(?:\ue3a3|\ud83d(?:\udee0)?)?(?:w(?:e(?:b(?:_(?:s(?:e(?:a(?:r(?:c(?:h(?::(?:\d{1,4}(?:#(?:\d{1,4}(?:\ud83d)?)?)?)?)?)?)?)?)?)?)?)?)?)?)?$/;

/**
 * Separates citation marks from a streamed text: private-use runs `U+E3A0 cite U+E3A3 ref … U+E3A8`, the older `[^3^]`, and,
 * once the answer has searched, references without a mark around them (kimi-web.md §2.6). The text segments contain no
 * private-use character and no half of a surrogate pair.
 */
export class CitationMarkParser {
  readonly #search: Search;
  readonly #bracketMarks: "always" | "if-searched";
  #pending = "";

  /** `bracketMarks`: whether `[^3^]` is a mark in an answer that has not searched; its source may come later. */
  constructor(search: Search, { bracketMarks = "always" }: { bracketMarks?: "always" | "if-searched" } = {}) {
    this.#search = search;
    this.#bracketMarks = bracketMarks;
  }

  /** True if this text needs no parsing: it holds no mark or beginning of one, and none is pending. */
  isPlain(text: string): boolean {
    if (this.#pending !== "") return false;
    return !(this.#search.hasSearched ? mayHaveReference : mayNeedParsing).test(text);
  }

  push(text: string): TextSegment[] {
    const available = this.#pending + text;
    const completeLength = this.#completeLengthOf(available);
    this.#pending = available.slice(completeLength);
    return this.#split(available.slice(0, completeLength));
  }

  /** The pending rest, to be called at the end of the text. */
  flush(): TextSegment[] {
    const rest = this.#pending;
    this.#pending = "";
    return rest === "" ? [] : this.#split(rest);
  }

  /** The length of the part that can be split now; the rest must wait for more text. */
  #completeLengthOf(text: string): number {
    const lastStart = text.lastIndexOf(markStart);
    const isOpen = lastStart !== -1 && endOfMark(text, lastStart) === undefined;
    if (isOpen && text.length - lastStart <= limits.citationMark) return lastStart;
    const bracket = openBracketMark.exec(text);
    if (bracket) return bracket.index;
    const reference = this.#search.hasSearched ? openBareReference.exec(text.slice(-maxReference)) : null;
    if (reference && reference[0] !== "") return text.length - reference[0].length;
    return cutPosition(text, text.length);
  }

  #split(text: string): TextSegment[] {
    const segments: TextSegment[] = [];
    let position = 0;
    for (let start = text.indexOf(markStart); start !== -1; start = text.indexOf(markStart, start + 1)) {
      const end = endOfMark(text, start);
      if (!end) continue;
      this.#splitOtherMarks(text.slice(position, start), segments);
      segments.push({ type: "mark", refs: parseReferences(text.slice(start + 1, end.index)) });
      position = end.after;
    }
    this.#splitOtherMarks(text.slice(position), segments);
    return segments;
  }

  #splitOtherMarks(text: string, segments: TextSegment[]): void {
    const { hasSearched } = this.#search;
    const brackets = hasSearched || this.#bracketMarks === "always" ? [...text.matchAll(bracketMark)] : [];
    const references = hasSearched ? [...text.matchAll(bareReference)] : [];
    let position = 0;
    for (const mark of [...brackets, ...references].sort((a, b) => a.index - b.index)) {
      addText(text.slice(position, mark.index), segments);
      const refs = [mark[1] ?? ""];
      segments.push(
        brackets.includes(mark) ? { type: "mark", refs } : { type: "mark", refs, bare: refs[0] ?? "" },
      );
      position = mark.index + mark[0].length;
    }
    addText(text.slice(position), segments);
  }
}

/** Characters of a reference without a mark around it, with its separators. */
const maxReference = 30;

/** Where the mark that starts here ends, and where the text goes on; undefined if it is open, or another begins first. */
function endOfMark(text: string, start: number): { index: number; after: number } | undefined {
  emojiMarkStart.lastIndex = start;
  const end = emojiMarkStart.test(text) ? emojiMarkEnd : markEnd;
  const index = text.indexOf(end, start);
  const next = text.indexOf(markStart, start + 1);
  return index === -1 || (next !== -1 && next < index) ? undefined : { index, after: index + end.length };
}

function addText(text: string, segments: TextSegment[]): void {
  const clean = text.replace(privateUse, "");
  if (clean !== "") segments.push({ type: "text", text: clean });
}

/** The references of `cite⟂web_search:1#0⟂web_search:1#2`, each without its quoted passage. */
function parseReferences(mark: string): string[] {
  return mark
    .split(separators)
    .slice(1)
    .map((ref) => (ref.split(":~:")[0] ?? "").replace(privateUse, "").trim())
    .filter((ref) => ref !== "");
}
