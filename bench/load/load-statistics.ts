import { now } from "../clock.js";
import type { AnswerTimings, LoadProgress, LoadResult } from "./load-profile.js";

/** Counters and timings of all connections of one load. */
export class LoadStatistics {
  /** Complete answers. */
  answers = 0;
  /** Received deltas. */
  deltas = 0;
  /** Answers that are being received. */
  openStreams = 0;
  /** Whether no further answers are to be requested. */
  isStopping = false;
  #invalidAnswers = 0;
  #firstFailure: string | undefined;
  readonly #timings: AnswerTimings[] = [];
  static #lastAnswerNumber = 0;

  /** A number that no other answer of this process has. */
  nextAnswerNumber(): number {
    return ++LoadStatistics.#lastAnswerNumber;
  }

  recordTimings(timings: AnswerTimings): void {
    this.#timings.push(timings);
  }

  /** Counts an invalid answer; the result has the message of the first one. */
  recordFailure(failure: string): void {
    this.#invalidAnswers++;
    this.#firstFailure ??= failure;
  }

  progress(): LoadProgress {
    return { time: now(), answers: this.answers, deltas: this.deltas, openStreams: this.openStreams };
  }

  result(): LoadResult {
    return {
      answers: this.answers,
      invalidAnswers: this.#invalidAnswers,
      firstFailure: this.#firstFailure,
      timings: this.#timings,
    };
  }
}
