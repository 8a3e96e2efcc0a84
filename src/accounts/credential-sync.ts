import { limits } from "../core/limits.js";
import { Backoff } from "./backoff.js";
import type { CredentialRecord } from "./credential-record.js";

/** An attempt blocks the event loop while another program holds the database, so that pauses are longer than that. */
const pausePerAttempt = 10;

/** Stores the changes of a credential record. After a failure it tries again, with back-off, until they are stored. */
export class CredentialSync {
  readonly #record: CredentialRecord;
  readonly #onAdopted: () => void;
  readonly #backoff = new Backoff();
  #running: Promise<void> | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `onAdopted`: called when the store had a newer pair, which the record has adopted instead. */
  constructor(record: CredentialRecord, onAdopted: () => void) {
    this.#record = record;
    this.#onAdopted = onAdopted;
  }

  /** Resolves after one attempt. Never rejects: the record logs failures. */
  run(): Promise<void> {
    this.#running ??= this.#attempt().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Starts to store the record if its last save has failed. */
  retryIfUnsaved(): void {
    if (!this.#record.isSaved && !this.#retryTimer) this.#scheduleRetry(0);
  }

  /** Makes a last attempt if the record is not stored. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    await this.#running;
    if (!this.#record.isSaved) await this.run();
  }

  async #attempt(): Promise<void> {
    const startedAt = performance.now();
    const hasAdopted = await this.#record.sync().catch(() => false);
    if (hasAdopted) this.#onAdopted();
    if (this.#record.isSaved) this.#backoff.reset();
    else this.#scheduleRetry(performance.now() - startedAt);
  }

  #scheduleRetry(attemptMs: number): void {
    if (this.#isClosed) return;
    clearTimeout(this.#retryTimer);
    this.#backoff.recordFailure(limits.failedSaveBackoff, attemptMs * pausePerAttempt);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      void this.run();
    }, this.#backoff.remaining).unref();
  }
}
