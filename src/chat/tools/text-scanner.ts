import type { Place } from "./openers.js";

/** Backticks of one run that are looked at together. */
const maxRun = 48;
const maxFenceLine = 200;
const listMarker = /(?:[-*+]|\d{1,3}[.)])[ \t]/y;
const mayBeListMarker = /(?:[-*+]|\d{1,3}[.)]?)$/y;
const fenceLine = /(?:(`{3,})[^`\n]*|(~{3,})[^\n]*)\n/y;
const mayBeFenceLine = /(?:`{1,}|`{3,}[^`\n]*|~{1,}|~{3,}[^\n]*)$/y;
const special = /[<`\\\n]/g;

/** A fence: the character and the number of its marks. */
type Fence = { mark: string; count: number };

/**
 * What a text contains: `length` characters that are text, and behind them `found` (with its own length, and the fence line in
 * front of it if it is the first in a fence), or what can be judged only with more text.
 */
export type Scan<Found> = { length: number; found?: Found; fence?: Fence & { length: number } };

/**
 * Looks for markers outside of Markdown's code in a text that comes in pieces. Code are fences, and spans between backticks
 * in one line. Keeps its place, so that text which was scanned need not be given again.
 */
export class TextScanner<Found> {
  readonly #find: (text: string, position: number, place: Place) => Found | "partial" | undefined;
  /** Finds what may be the first in a fence, where nothing else is looked for. */
  readonly #findInFence: (text: string, position: number) => Found | "partial" | undefined;
  #fence: Fence | undefined;
  /** Nothing but white space, and marks of quotes and lists, since the beginning of the line. */
  #isLineStart = true;
  /** Nothing but white space since the beginning of the line. */
  #isBlank = true;
  #isQuoted = false;
  /** The number of backticks of the open code span, or 0. */
  #span = 0;

  constructor(
    find: (text: string, position: number, place: Place) => Found | "partial" | undefined,
    findInFence: (text: string, position: number) => Found | "partial" | undefined = () => undefined,
  ) {
    this.#find = find;
    this.#findInFence = findInFence;
  }

  /** The number of backticks of the open code span, or 0. */
  get span(): number {
    return this.#span;
  }

  /** Takes the backticks of the open span for text: nothing closed it. */
  closeSpan(): void {
    this.#span = 0;
  }

  /** Takes one character for text that was found to begin something. */
  skipFound(): void {
    this.#isLineStart = false;
    this.#isBlank = false;
  }

  /** Goes on inside a fence, behind its first line. */
  openFence({ mark, count }: Fence): void {
    this.#fence = { mark, count };
    this.#startLine();
  }

  /** `isEnd`: no more text follows. */
  scan(text: string, isEnd: boolean): Scan<Found> {
    let position = 0;
    while (position < text.length) {
      const step = this.#step(text, position, isEnd);
      if (typeof step !== "number") return step;
      position = step;
    }
    return { length: position };
  }

  /** Returns the position up to which the text is text, or a result. */
  #step(text: string, position: number, isEnd: boolean): number | Scan<Found> {
    if (this.#fence) return this.#stepInFence(this.#fence, text, position, isEnd);
    if (this.#isLineStart) {
      const step = this.#stepAtLineStart(text, position, isEnd);
      if (step !== undefined) return step;
    }
    return this.#stepInLine(text, position, isEnd);
  }

  #stepInFence({ mark, count }: Fence, text: string, position: number, isEnd: boolean): number | Scan<Found> {
    const lineEnd = text.indexOf("\n", position);
    if (this.#isLineStart) {
      const line = text.slice(position, lineEnd === -1 ? text.length : lineEnd);
      const marks = /^[ \t>]*([`~]*)[ \t\r]*$/.exec(line)?.[1];
      const mayClose = marks !== undefined && line.length < maxFenceLine;
      if (mayClose && lineEnd === -1 && !isEnd) return { length: position };
      const isClosing = mayClose && marks.length >= count && marks === mark.repeat(marks.length);
      if (isClosing) this.#fence = undefined;
      else this.#isLineStart = false;
    }
    if (lineEnd === -1) return text.length;
    this.#startLine();
    return lineEnd + 1;
  }

  /** Undefined: the line has begun. */
  #stepAtLineStart(text: string, position: number, isEnd: boolean): number | Scan<Found> | undefined {
    const character = text.charAt(position);
    if (/[ \t\r>]/.test(character)) {
      if (character === ">") {
        this.#isQuoted = true;
        this.#isBlank = false;
      }
      return position + 1;
    }
    if (matchesAt(listMarker, text, position)) {
      this.#isBlank = false;
      return listMarker.lastIndex;
    }
    if (!isEnd && matchesAt(mayBeListMarker, text, position)) return { length: position };
    const fence = this.#findFence(text, position, isEnd);
    if (fence) return fence;
    // A backtick or a backslash begins nothing but code.
    const step = /[`\\\n]/.test(character) ? undefined : this.#look(text, position, isEnd);
    if (step === undefined || typeof step === "number") this.#isLineStart = false;
    return step;
  }

  #findFence(text: string, position: number, isEnd: boolean): number | Scan<Found> | undefined {
    fenceLine.lastIndex = position;
    const line = fenceLine.exec(text);
    if (!line || line[0].length > maxFenceLine) {
      const isShort = text.length - position < maxFenceLine;
      return !line && !isEnd && isShort && matchesAt(mayBeFenceLine, text, position)
        ? { length: position }
        : undefined;
    }
    const marks = line[1] ?? line[2] ?? "";
    const fence = { mark: marks.charAt(0), count: marks.length };
    const start = position + line[0].length;
    const space = /^\s*/.exec(text.slice(start, start + maxFenceLine))?.[0].length ?? 0;
    if (start + space === text.length && space < maxFenceLine && !isEnd) return { length: position };
    const found = this.#findInFence(text, start + space);
    if (found === "partial" && !isEnd) return { length: position };
    if (found && found !== "partial")
      return { length: position, found, fence: { ...fence, length: start + space - position } };
    this.openFence(fence);
    return start;
  }

  #stepInLine(text: string, from: number, isEnd: boolean): number | Scan<Found> {
    special.lastIndex = from;
    const position = special.exec(text)?.index;
    if (position === undefined) return text.length;
    switch (text.charAt(position)) {
      case "\n":
        this.#startLine();
        return position + 1;
      case "\\":
        if (this.#span > 0) return position + 1;
        if (position + 1 === text.length) return isEnd ? text.length : { length: position };
        return position + (/[`\\]/.test(text.charAt(position + 1)) ? 2 : 1);
      case "`":
        return this.#stepOverBackticks(text, position, isEnd);
      default:
        return this.#look(text, position, isEnd);
    }
  }

  #stepOverBackticks(text: string, position: number, isEnd: boolean): number | Scan<Found> {
    let end = position;
    while (text.charAt(end) === "`" && end - position < maxRun) end++;
    const count = end - position;
    if (end === text.length && count < maxRun && !isEnd) return { length: position };
    if (this.#span === 0) this.#span = count;
    else if (this.#span === count) this.#span = 0;
    return end;
  }

  #look(text: string, position: number, isEnd: boolean): number | Scan<Found> {
    const place = { isLineStart: this.#isBlank, isQuoted: this.#isQuoted, isInCode: this.#span > 0 };
    const found = this.#find(text, position, place);
    if (found === "partial" && !isEnd) return { length: position };
    this.#isBlank = false;
    return found && found !== "partial" ? { length: position, found } : position + 1;
  }

  #startLine(): void {
    this.#isLineStart = true;
    this.#isBlank = true;
    this.#isQuoted = false;
    this.#span = 0;
  }
}

function matchesAt(expression: RegExp, text: string, position: number): boolean {
  expression.lastIndex = position;
  return expression.test(text);
}
