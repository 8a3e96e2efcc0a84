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

/** Where requests are sent, what they contain, and what the response must be. The host is 127.0.0.1. */
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

/** The load that the client puts on a target. Times are in milliseconds. */
export type LoadProfile = {
  target: Target;
  /** Concurrent connections; each requests its next answer when the last has ended and `pause` has passed. */
  streams: number;
  /** The time between the end of an answer and the next request. */
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

/** The times (`clock.ts`) at which the request of an answer was sent and each of its deltas arrived. */
export type AnswerTimings = { answerNumber: number; sentAt: number; deltaTimes: Float64Array };

/** The totals of a load when it has ended. */
export type LoadResult = {
  /** Complete and valid answers. */
  answers: number;
  /** Answers with a wrong byte, a wrong status or a wrong end. */
  invalidAnswers: number;
  /** The error of the first invalid answer. */
  firstFailure: string | undefined;
  /** Empty unless the profile has `recordTimings`. */
  timings: AnswerTimings[];
};
