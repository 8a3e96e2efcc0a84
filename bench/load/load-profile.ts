import type { ProtocolName } from "../answers/protocol.js";
import type { DialectName } from "./dialects.js";

/** How a response is read, and what is validated. */
export type ResponseFormat =
  /** The upstream's stream: every byte. */
  | { kind: "verbatim"; protocol: ProtocolName }
  /** Chat completion chunks: every byte. What all chunks of an answer have in common is taken from the first. */
  | { kind: "chat-chunks" }
  /** Server-sent events of a dialect: the text and the last event. */
  | { kind: "events"; dialect: DialectName }
  /** One JSON object, not streamed: the text. */
  | { kind: "json"; dialect: DialectName };

/** Where requests are sent, and what they contain. */
export type Target = {
  port: number;
  path: string;
  headers: Readonly<Record<string, string>>;
  /** The parts of the request's body before and after the answer's specification. */
  body: readonly [before: string, after: string];
  /** Whether the body is sent in a Connect envelope, with a header of five bytes. */
  enveloped: boolean;
  responseFormat: ResponseFormat;
};

/** The load that the client puts on a target. Times in milliseconds. */
export type LoadProfile = {
  target: Target;
  /** Concurrent connections; each requests its next answer when the last has ended and `pause` has passed. */
  streams: number;
  pause: number;
  /** The time over which the first requests are spread. */
  rampUp: number;
  /** The time between two deltas of an answer; 0 for all at once. */
  pace: number;
  /** Deltas per answer. */
  deltas: number;
  /** Whether the time of arrival of each delta is recorded. */
  recordTimings: boolean;
};

/** The counters at `time` (`clock.ts`): complete answers, received deltas, answers that are being received. */
export type LoadProgress = { time: number; answers: number; deltas: number; openStreams: number };

/** When an answer's request was sent and each of its deltas arrived (`clock.ts`). */
export type AnswerTimings = { answerNumber: number; sentAt: number; deltaTimes: Float64Array };

export type LoadResult = {
  answers: number;
  /** Answers with a wrong byte, a wrong status or a wrong end. */
  invalidAnswers: number;
  /** What was wrong with the first of them. */
  firstFailure: string | undefined;
  timings: AnswerTimings[];
};
