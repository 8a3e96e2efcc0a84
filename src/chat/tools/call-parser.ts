import type { CallParserOptions, CallPiece } from "./call-pieces.js";

/**
 * Separates the tool calls that a model writes as text from the rest of an answer. Fed with text deltas; the pieces that it
 * returns are the same for every division into deltas, adjacent pieces of text taken as one.
 */
export class CallParser {
  constructor(_options: CallParserOptions) {}

  /** Whether a call has begun that was neither returned nor released. */
  get isHolding(): boolean {
    return false;
  }

  /** Reads on. */
  add(text: string): CallPiece[] {
    return text === "" ? [] : [{ type: "text", text }];
  }

  /** The time for which a call is held whole has passed: lets the name and the arguments so far of a held call leave. */
  release(): CallPiece[] {
    return [];
  }

  /** The regular end of the answer. Not to be called for a stream that was cut: what is held then was half a call. */
  end(): CallPiece[] {
    return [];
  }
}
