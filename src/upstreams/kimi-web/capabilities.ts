/** What no source proves of Kimi, one by one, so that each can be tried with an account. */
export type Capabilities = {
  /**
   * An answer goes on when its connection breaks, `ListMessages` has it under the id that the stream gave it, and its status
   * is COMPLETED only when it is whole (kimi-web.md §4 #10).
   */
  readonly readsCutAnswers: boolean;
};

/** What Moonbridge takes for true of every account. */
export const assumedCapabilities: Capabilities = { readsCutAnswers: true };
