import { limits } from "../../core/limits.js";

/** What is left of a piece of text once the citation marks are taken out of it. */
export type Piece = { type: "text"; text: string } | { type: "mark"; refs: string[] };

const open = "\ue3a0";
const separator = "\ue3a3";
const close = "\ue3a8";

const suspicious = /[\ue000-\uf8ff[\ud800-\udbff]/;
const privateUse = /[\ue000-\uf8ff]/g;
/** What may still grow into `[^12^]`. */
const bracketStart = /\[(?:\^(?:\d{1,6}\^?)?)?$/;
const bracketMark = /\[\^(\d{1,6})\^\]/g;

/**
 * Takes Kimi's citation marks out of a text that arrives in pieces: private-use runs `U+E3A0 cite U+E3A3 ref …
 * U+E3A8` and the older `[^3^]` (kimi-web.md §2.6). No private-use character gets through, and no surrogate
 * pair is cut in two.
 */
export class MarkReader {
  #held = "";

  /** True where this text needs not be read: nothing in it is, or may grow into, a mark, and none has begun. */
  isFree(text: string): boolean {
    return this.#held === "" && !suspicious.test(text);
  }

  push(text: string): Piece[] {
    const all = this.#held + text;
    const cut = holdFrom(all);
    this.#held = all.slice(cut);
    return split(all.slice(0, cut));
  }

  /** What was still held when the text ended. */
  flush(): Piece[] {
    const rest = this.#held;
    this.#held = "";
    return rest === "" ? [] : split(rest);
  }
}

/** Where the part begins that must wait for the next piece. */
function holdFrom(text: string): number {
  const opened = text.lastIndexOf(open);
  if (opened > text.lastIndexOf(close) && text.length - opened <= limits.citationMark) return opened;
  const bracket = bracketStart.exec(text);
  if (bracket) return bracket.index;
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length;
}

function split(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (let start = text.indexOf(open); start !== -1; start = text.indexOf(open, at)) {
    const end = text.indexOf(close, start);
    if (end === -1) break;
    splitBrackets(text.slice(at, start), pieces);
    pieces.push({ type: "mark", refs: refsOf(text.slice(start + 1, end)) });
    at = end + 1;
  }
  splitBrackets(text.slice(at), pieces);
  return pieces;
}

function splitBrackets(text: string, pieces: Piece[]): void {
  let at = 0;
  for (const mark of text.matchAll(bracketMark)) {
    addText(text.slice(at, mark.index), pieces);
    pieces.push({ type: "mark", refs: [mark[1] ?? ""] });
    at = mark.index + mark[0].length;
  }
  addText(text.slice(at), pieces);
}

function addText(text: string, pieces: Piece[]): void {
  const clean = text.replace(privateUse, "");
  if (clean !== "") pieces.push({ type: "text", text: clean });
}

/** `cite⟂web_search:1#0⟂web_search:1#2` → the references, each without its quoted passage. */
function refsOf(mark: string): string[] {
  return mark
    .split(separator)
    .slice(1)
    .map((ref) => (ref.split(":~:")[0] ?? "").replace(privateUse, "").trim())
    .filter((ref) => ref !== "");
}
