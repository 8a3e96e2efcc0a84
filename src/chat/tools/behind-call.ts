import { closers } from "./closers.js";
import { matchAny } from "./marker-pattern.js";
import type { Opener, OpenerFinder } from "./openers.js";

/** The fence around calls: the character and the number of its marks. */
export type Fence = { mark: string; count: number };

/** What stands behind a call, with its length. `marker`: a closing marker. `fence-end`: the end of the fence around the calls. */
export type BehindCall =
  | { type: "marker" | "fence-end"; length: number }
  | { type: "opener"; opener: Opener };

/** Reads what may stand between calls and behind the last one. */
export class BehindCallReader {
  readonly #finder: OpenerFinder;
  readonly #ownTag: string;
  /** Whether a closing marker followed the call. */
  #isClosed = false;
  #isLineStart = false;

  constructor(finder: OpenerFinder, word: string) {
    this.#finder = finder;
    this.#ownTag = `<call-${word}>`;
  }

  /** Begins behind another call. */
  reset(): void {
    this.#isClosed = false;
    this.#isLineStart = false;
  }

  /** The length of the white space at the beginning of the text. */
  readSpace(text: string): number {
    const space = /^\s*/.exec(text)?.[0] ?? "";
    if (space.includes("\n")) this.#isLineStart = true;
    return space.length;
  }

  /** Reads at the beginning of a text that is no white space. Undefined: it belongs to no call. `fence`: around the calls. */
  read(text: string, isEnd: boolean, fence: Fence | undefined): BehindCall | "partial" | undefined {
    const fenceEnd = this.#readFenceEnd(text, isEnd, fence);
    if (fenceEnd) return fenceEnd;
    const closer = matchAny(closers, text, 0);
    if (closer && closer !== "partial") return this.#close(closer.match.length);
    const tag = this.#readTagAsCloser(text, isEnd);
    if (tag) return tag;
    const place = { isLineStart: this.#isLineStart, isQuoted: false, isInCode: fence !== undefined };
    const opener = this.#finder.find(text, 0, place);
    if (opener && opener !== "partial") return { type: "opener", opener };
    return opener ?? closer;
  }

  /** The end of the fence around the calls, or of one around the JSON inside of their tag. */
  #readFenceEnd(text: string, isEnd: boolean, fence: Fence | undefined): BehindCall | "partial" | undefined {
    const [line = "", marks = "", end = ""] = /^([`~]{1,48})[ \t\r]*(\n?)/.exec(text) ?? [];
    if (marks === "") return undefined;
    const isLast = line.length === text.length;
    if (isLast && end === "" && !isEnd) return "partial";
    const isWholeLine = this.#isLineStart && (end !== "" || isLast);
    if (fence && isWholeLine && marks.length >= fence.count && marks === fence.mark.repeat(marks.length))
      return { type: "fence-end", length: line.length };
    return !this.#isClosed && /^`{3,}$/.test(marks) ? { type: "marker", length: line.length } : undefined;
  }

  /** Models also write the opening tag where the closing one should be. */
  #readTagAsCloser(text: string, isEnd: boolean): BehindCall | "partial" | undefined {
    if (this.#isClosed || !text.startsWith(this.#ownTag)) return undefined;
    const next = /\S/.exec(text.slice(this.#ownTag.length))?.[0];
    if (next === undefined && !isEnd) return "partial";
    return next === undefined || next === "<" ? this.#close(this.#ownTag.length) : undefined;
  }

  #close(length: number): BehindCall {
    this.#isClosed = true;
    return { type: "marker", length };
  }
}
