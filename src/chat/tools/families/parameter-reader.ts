import { MarkerPattern, matchAny, type PatternPart } from "../marker-pattern.js";
import { type CallReader, notACall } from "./call-reader.js";

/** A parameter as it was written. `type`: the JSON type that the model named, if the family has one. */
export type WrittenParameter = { key: string; type: string | undefined; text: string };

/** How a family marks parameters. The patterns have the groups `key` and `type`. */
export type ParameterSyntax = {
  start: readonly MarkerPattern[];
  /** A parameter's end, with what has to follow: the next parameter or the end of the call. It is part of the value else. */
  end: readonly MarkerPattern[];
  callEnd: readonly MarkerPattern[];
};

const space: PatternPart = { source: "\\s{0,200}" };

function invokeSyntax(): ParameterSyntax {
  const prefixes: PatternPart[][] = [[], [{ source: "[a-z][a-z0-9]{0,15}" }, ":"]];
  const starts = prefixes.map((prefix): PatternPart[] => ["<", ...prefix, "parameter name="]);
  const callEnds = prefixes.map((prefix): PatternPart[] => ["</", ...prefix, "invoke>"]);
  return {
    start: starts.map(
      (start) =>
        new MarkerPattern([
          ...start,
          { source: "[\"']" },
          { source: "(?<key>[^\"'<>]{1,256})" },
          { source: "[\"']" },
          { source: "[^<>]{0,64}" },
          ">",
        ]),
    ),
    end: prefixes.flatMap((prefix) =>
      [...starts, ...callEnds].map(
        (next) => new MarkerPattern(["</", ...prefix, "parameter>", space, ...next]),
      ),
    ),
    callEnd: callEnds.map((end) => new MarkerPattern(end)),
  };
}

function k3Syntax(): ParameterSyntax {
  const start = '<|open|>argument key="';
  const callEnd = "<|close|>call<|sep|>";
  return {
    start: [
      new MarkerPattern([
        start,
        { source: '(?<key>[^"<>]{1,256})' },
        '"',
        { source: '(?:\\s{1,8}type="(?<type>[a-z]{1,16})")?' },
        { source: "[^<>]{0,64}" },
        "<|sep|>",
      ]),
    ],
    end: [start, callEnd].map((next) => new MarkerPattern(["<|close|>argument<|sep|>", space, next])),
    callEnd: [new MarkerPattern([callEnd])],
  };
}

/** `<parameter name="KEY">VALUE</parameter>` up to `</invoke>`, with or without a namespace. */
export const invokeParameters = invokeSyntax();
/** `<|open|>argument key="KEY" type="TYPE"<|sep|>VALUE<|close|>argument<|sep|>` up to `<|close|>call<|sep|>`. */
export const k3Parameters = k3Syntax();

/** Reads the marked parameters of a call. Values are taken as they are: nothing in them is an escape. */
export class ParameterReader implements CallReader {
  readonly parameters: WrittenParameter[] = [];
  interpreted = 0;
  readonly #callEnd: readonly (readonly [MarkerPattern, "end"])[];
  readonly #next: readonly (readonly [MarkerPattern, "start" | "end"])[];
  readonly #valueEnd: readonly (readonly [MarkerPattern, "end"])[];
  /** What was not interpreted yet: less than a marker. */
  #unread = "";
  #open: WrittenParameter | undefined;

  constructor(syntax: ParameterSyntax) {
    this.#callEnd = syntax.callEnd.map((pattern) => [pattern, "end"]);
    this.#next = [...syntax.start.map((pattern) => [pattern, "start"] as const), ...this.#callEnd];
    this.#valueEnd = syntax.end.map((pattern) => [pattern, "end"]);
  }

  read(piece: string): number {
    const text = this.#unread + piece;
    let position = 0;
    while (position < text.length) {
      const step = this.#open ? this.#readValue(text, position) : this.#readMarker(text, position);
      if (step === notACall) return notACall;
      this.interpreted += step.position - position;
      if (step.isEnd) return step.position - this.#unread.length;
      if (step.isPartial) {
        this.#unread = text.slice(step.position);
        return -1;
      }
      position = step.position;
    }
    this.#unread = "";
    return -1;
  }

  #readMarker(text: string, from: number): Step | typeof notACall {
    const position = from + (/^\s*/.exec(text.slice(from, from + 200))?.[0].length ?? 0);
    if (position === text.length || position - from === 200) return { position };
    const found = matchAny(this.#next, text, position);
    if (found === "partial") return { position, isPartial: true };
    if (!found) {
      this.interpreted += position - from;
      return notACall;
    }
    if (found.value === "end") return { position: position + found.match.length, isEnd: true };
    const { key = "", type } = found.match.groups;
    this.#open = { key, type, text: "" };
    return { position: position + found.match.length };
  }

  #readValue(text: string, from: number): Step {
    const parameter = this.#open ?? { key: "", type: undefined, text: "" };
    const bracket = text.indexOf("<", from);
    const end = bracket === -1 ? text.length : bracket;
    parameter.text += text.slice(from, end);
    if (bracket === -1) return { position: end };
    const found = matchAny(this.#valueEnd, text, bracket);
    if (found === "partial") return { position: bracket, isPartial: true };
    if (!found) {
      parameter.text += "<";
      return { position: bracket + 1 };
    }
    this.parameters.push(parameter);
    this.#open = undefined;
    // What follows the end was only looked at.
    return { position: bracket + endMarkerLength(text, bracket) };
  }
}

type Step = { position: number; isEnd?: true; isPartial?: true };

/** `</parameter>`, or `<|close|>argument<|sep|>`. */
function endMarkerLength(text: string, position: number): number {
  const marker = "<|close|>argument<|sep|>";
  return text.startsWith(marker, position) ? marker.length : text.indexOf(">", position) + 1 - position;
}
