import { limits } from "../../core/limits.js";

/** A part of an answer's text: plain text, or a citation mark with its references. */
export type TextSegment = { type: "text"; text: string } | { type: "mark"; refs: string[] };

const markStart = "\ue3a0";
const separator = "\ue3a3";
const markEnd = "\ue3a8";

const mayNeedParsing = /[\ue000-\uf8ff[\ud800-\udbff]/;
const privateUse = /[\ue000-\uf8ff]/g;
/** An incomplete `[^12^]` at the end of a text. */
const openBracketMark = /\[(?:\^(?:\d{1,6}\^?)?)?$/;
const bracketMark = /\[\^(\d{1,6})\^\]/g;

/**
 * Separates citation marks from a streamed text: private-use runs `U+E3A0 cite U+E3A3 ref … U+E3A8` and the older
 * `[^3^]` (kimi-web.md §2.6). The text segments contain no private-use character and no half of a surrogate pair.
 */
export class CitationMarkParser {
  #pending = "";

  /** True if this text needs no parsing: it holds no mark or beginning of one, and none is pending. */
  isPlain(text: string): boolean {
    return this.#pending === "" && !mayNeedParsing.test(text);
  }

  push(text: string): TextSegment[] {
    const available = this.#pending + text;
    const completeLength = completeLengthOf(available);
    this.#pending = available.slice(completeLength);
    return splitMarks(available.slice(0, completeLength));
  }

  /** The pending rest, to be called at the end of the text. */
  flush(): TextSegment[] {
    const rest = this.#pending;
    this.#pending = "";
    return rest === "" ? [] : splitMarks(rest);
  }
}

/** The length of the part that can be split now; the rest must wait for more text. */
function completeLengthOf(text: string): number {
  const lastStart = text.lastIndexOf(markStart);
  if (lastStart > text.lastIndexOf(markEnd) && text.length - lastStart <= limits.citationMark)
    return lastStart;
  const bracket = openBracketMark.exec(text);
  if (bracket) return bracket.index;
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length;
}

function splitMarks(text: string): TextSegment[] {
  const segments: TextSegment[] = [];
  let position = 0;
  for (let start = text.indexOf(markStart); start !== -1; start = text.indexOf(markStart, position)) {
    const end = text.indexOf(markEnd, start);
    if (end === -1) break;
    splitBracketMarks(text.slice(position, start), segments);
    segments.push({ type: "mark", refs: parseReferences(text.slice(start + 1, end)) });
    position = end + 1;
  }
  splitBracketMarks(text.slice(position), segments);
  return segments;
}

function splitBracketMarks(text: string, segments: TextSegment[]): void {
  let position = 0;
  for (const mark of text.matchAll(bracketMark)) {
    addText(text.slice(position, mark.index), segments);
    segments.push({ type: "mark", refs: [mark[1] ?? ""] });
    position = mark.index + mark[0].length;
  }
  addText(text.slice(position), segments);
}

function addText(text: string, segments: TextSegment[]): void {
  const clean = text.replace(privateUse, "");
  if (clean !== "") segments.push({ type: "text", text: clean });
}

/** The references of `cite⟂web_search:1#0⟂web_search:1#2`, each without its quoted passage. */
function parseReferences(mark: string): string[] {
  return mark
    .split(separator)
    .slice(1)
    .map((ref) => (ref.split(":~:")[0] ?? "").replace(privateUse, "").trim())
    .filter((ref) => ref !== "");
}
