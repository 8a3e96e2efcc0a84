import type { Usage } from "../core/types.js";

/** What has begun an answer and can tell what it has used so far. */
type Metered = { usage(): Promise<Usage> };

/** The tokens of a request: those of the last of its upstreams that has begun an answer. */
export class TokenMeter {
  #latest: Metered | undefined;

  /** To be called when an upstream has accepted the message. */
  begin(metered: Metered): void {
    this.#latest = metered;
  }

  /** The usage so far; undefined if no upstream has accepted the message. */
  async usage(): Promise<Usage | undefined> {
    return this.#latest?.usage();
  }
}
