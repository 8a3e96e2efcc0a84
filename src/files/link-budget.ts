/** Time for fetching all links of one request together, one after the other. */
export class LinkBudget {
  /** The whole budget, in seconds. */
  readonly seconds: number;
  #remaining: number;

  constructor(milliseconds: number) {
    this.seconds = Math.ceil(milliseconds / 1_000);
    this.#remaining = milliseconds;
  }

  /** Milliseconds, without the time of a clock that still runs. */
  get remaining(): number {
    return Math.max(0, this.#remaining);
  }

  /** Takes the time until the returned function is called first; further calls do nothing. */
  startClock(): () => void {
    let startedAt: number | undefined = performance.now();
    return () => {
      if (startedAt !== undefined) this.#remaining -= performance.now() - startedAt;
      startedAt = undefined;
    };
  }
}
