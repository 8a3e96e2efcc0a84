import type { ProtocolName } from "../answers/answer.js";
import type { DialectName } from "./dialects.js";

/** How the bytes of an answer are read, and what they must be. */
export type Reading =
  /** The upstream's own, every byte of them. */
  | { kind: "verbatim"; protocol: ProtocolName }
  /** Chat completion chunks, every byte; what all chunks of an answer have in common is taken from the first. */
  | { kind: "chunks" }
  /** Events of a dialect, parsed; the text must be the right one and the end must be there. */
  | { kind: "events"; dialect: DialectName }
  /** One JSON object in place of a stream. */
  | { kind: "whole"; dialect: DialectName };

/** Where requests go and what they say. */
export type Target = {
  port: number;
  path: string;
  headers: Readonly<Record<string, string>>;
  /** What stands before and behind the order in the request's body; Connect's five bytes go in front of it. */
  body: readonly [before: string, behind: string];
  framed: boolean;
  reading: Reading;
};

export type Work = {
  target: Target;
  /** Streams at a time; each begins its next answer when the last has ended, and `rest` milliseconds later. */
  streams: number;
  rest: number;
  /** Milliseconds over which the first requests are spread. */
  stagger: number;
  pace: number;
  deltas: number;
  /** Whether the arrival of each delta is noted. */
  record: boolean;
};

/** What has happened up to a moment. */
export type Mark = { at: number; answers: number; deltas: number; open: number };

export type Arrivals = { number: number; askedAt: number; at: Float64Array };

export type Outcome = {
  answers: number;
  /** Answers with a wrong byte, or that ended wrongly. */
  wrong: number;
  /** The first of them, in words. */
  complaint: string | undefined;
  arrivals: Arrivals[];
};
