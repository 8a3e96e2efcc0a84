import { CallParser } from "../../../src/chat/tools/call-parser.js";
import type { CallFamily, CallPiece, CallRepair, InvalidCall } from "../../../src/chat/tools/call-pieces.js";
import { ToolAliases } from "../../../src/chat/tools/tool-aliases.js";
import type { Tool } from "../../../src/core/types.js";

export const word = "7f3k";

/** What a parser returned, adjacent pieces joined. */
export type ParsedOutput = {
  text: string;
  calls: { name: string; arguments: string; family: CallFamily; repairs: readonly CallRepair[] }[];
  invalid: { text: string; name: string | undefined; problem: InvalidCall }[];
  /** Texts and ends in their order, to compare two divisions. */
  order: string[];
  isBroken: boolean;
  isComplete: boolean;
  discarded: number;
  /** Names and arguments of calls that were not held to their end. */
  streamed: number;
};

export type ParseSettings = {
  isQuotation?: (name: string, json: string) => boolean;
  /** The stream breaks off behind the output. */
  isCut?: boolean;
};

export function createParser(tools: readonly Tool[], { isQuotation }: ParseSettings = {}): CallParser {
  const aliases = new ToolAliases(tools);
  return new CallParser({
    word,
    resolve: (name) => aliases.resolve(name),
    isQuotation: isQuotation ?? (() => false),
  });
}

/** Parses an output that comes in these deltas. */
export function parseOutput(
  deltas: Iterable<string>,
  tools: readonly Tool[],
  settings: ParseSettings = {},
): ParsedOutput {
  const parser = createParser(tools, settings);
  const pieces: CallPiece[] = [];
  for (const delta of deltas) pieces.push(...parser.add(delta));
  if (!settings.isCut) pieces.push(...parser.end());
  return joinPieces(pieces);
}

export function joinPieces(pieces: readonly CallPiece[]): ParsedOutput {
  const output: ParsedOutput = {
    text: "",
    calls: [],
    invalid: [],
    order: [],
    isBroken: false,
    isComplete: false,
    discarded: 0,
    streamed: 0,
  };
  let hasEnded = true;
  for (const piece of pieces) {
    if (output.order.at(-1) !== piece.type) output.order.push(piece.type);
    switch (piece.type) {
      case "text":
        output.text += piece.text;
        break;
      case "call":
        output.calls.push(piece);
        break;
      case "call-start":
        hasEnded = false;
        output.streamed++;
        output.calls.push({ name: piece.name, family: piece.family, arguments: "", repairs: [] });
        break;
      case "call-arguments": {
        const call = output.calls.at(-1);
        if (!call || hasEnded) throw new Error("arguments outside of a call");
        call.arguments += piece.text;
        break;
      }
      case "call-end":
        hasEnded = true;
        break;
      case "invalid-call":
        output.text += piece.text;
        output.invalid.push(piece);
        break;
      case "broken-call":
        output.isBroken = true;
        break;
      case "complete":
        output.isComplete = true;
        break;
      case "discarded":
        output.discarded += piece.characters;
        break;
    }
  }
  return output;
}

/** The text in deltas of this length. */
export function divide(text: string, length: number): string[] {
  if (length === Number.POSITIVE_INFINITY) return [text];
  const pieces: string[] = [];
  for (let start = 0; start < text.length; start += length) pieces.push(text.slice(start, start + length));
  return pieces;
}
