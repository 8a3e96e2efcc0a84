import { escapeRegExp } from "../../lib/escape-reg-exp.js";

/** A part of a pattern: a literal, or a character class with bounds (`source` of a regular expression). */
export type PatternPart = string | { readonly source: string };

/** What a pattern found at a position. */
export type PatternMatch = { length: number; groups: Readonly<Record<string, string | undefined>> };

/**
 * A sequence of literals and bounded character classes that is looked for in a text that comes in pieces: it tells where
 * the sequence stands, and where it may stand as soon as more text has come.
 */
export class MarkerPattern {
  readonly #whole: RegExp;
  readonly #beginning: RegExp;

  /** `followedBy`: a character class, of which the next character must be one; it does not belong to the match. */
  constructor(parts: readonly PatternPart[], followedBy = "") {
    const lookahead = followedBy === "" ? "" : `(?=${followedBy})`;
    this.#whole = new RegExp(parts.map(sourceOf).join("") + lookahead, "iy");
    this.#beginning = new RegExp(`${beginningOf(parts)}$`, "iy");
  }

  match(text: string, position: number): PatternMatch | undefined {
    this.#whole.lastIndex = position;
    const found = this.#whole.exec(text);
    return found ? { length: found[0].length, groups: found.groups ?? {} } : undefined;
  }

  /** Whether the text from the position to its end may be the beginning of a match. */
  mayBegin(text: string, position: number): boolean {
    this.#beginning.lastIndex = position;
    return this.#beginning.test(text);
  }
}

/** Looks for patterns at a position, the first one first. `partial`: none matches, but with more text one may. */
export function matchAny<T>(
  patterns: readonly (readonly [MarkerPattern, T])[],
  text: string,
  position: number,
): { match: PatternMatch; value: T } | "partial" | undefined {
  for (const [pattern, value] of patterns) {
    const match = pattern.match(text, position);
    if (match) return { match, value };
  }
  return patterns.some(([pattern]) => pattern.mayBegin(text, position)) ? "partial" : undefined;
}

function sourceOf(part: PatternPart): string {
  return typeof part === "string" ? escapeRegExp(part) : part.source;
}

/** A regular expression for every beginning of the sequence, the empty one included. */
function beginningOf(parts: readonly PatternPart[]): string {
  return parts.reduceRight<string>((rest, part) => {
    if (typeof part !== "string") return `(?:${part.source}${rest})?`;
    return Array.from(part).reduceRight(
      (after, character) => `(?:${escapeRegExp(character)}${after})?`,
      rest,
    );
  }, "");
}
