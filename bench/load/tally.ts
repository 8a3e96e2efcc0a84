import { now } from "../clock.js";
import type { Arrivals, Mark, Outcome } from "./work.js";

/** What all slots of one work have seen. */
export class Tally {
  answers = 0;
  deltas = 0;
  open = 0;
  /** True once no further answer is asked for. */
  stopping = false;
  #wrong = 0;
  #complaint: string | undefined;
  readonly #arrivals: Arrivals[] = [];
  static #number = 0;

  /** A number that no other answer has. */
  nextNumber(): number {
    return ++Tally.#number;
  }

  note(arrivals: Arrivals): void {
    this.#arrivals.push(arrivals);
  }

  complain(complaint: string): void {
    this.#wrong++;
    this.#complaint ??= complaint;
  }

  mark(): Mark {
    return { at: now(), answers: this.answers, deltas: this.deltas, open: this.open };
  }

  outcome(): Outcome {
    return {
      answers: this.answers,
      wrong: this.#wrong,
      complaint: this.#complaint,
      arrivals: this.#arrivals,
    };
  }
}
