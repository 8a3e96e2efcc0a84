import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { CredentialStore, StoredCredentials } from "../core/store.js";
import { decodeClaims, type TokenPair } from "../core/token.js";
import { pairFingerprint, primaryToken, startedFromLogin, storedPairWins } from "./token-precedence.js";

/** A refresh that is not urgent was not started, because the store failed to grant its lock. It is retried later. */
export class RefreshPostponed extends GatewayError {
  constructor() {
    super("upstream_unavailable", "The login is not renewed while Moonbridge's database cannot be written.");
  }
}

export type CredentialRecordOptions = {
  store: CredentialStore;
  /** Writes a warning to the log; `error` never contains a token. */
  warn: (message: string, error: unknown) => void;
  /** Aborts waiting for the lock. */
  shutdown: AbortSignal;
};

/** The token pair in use and its row in the store, which other processes and `moonbridge login` write too. */
export class CredentialRecord {
  readonly #account: string;
  readonly #configured: TokenPair;
  readonly #store: CredentialStore;
  readonly #warn: CredentialRecordOptions["warn"];
  readonly #shutdown: AbortSignal;
  #row: StoredCredentials;
  /** Token last read from or written to the store; a different one means that the row has changed. */
  #lastSeenToken: string | undefined;
  #isSaved = true;
  #hasWarned = false;
  #lockFailedAt = Number.NEGATIVE_INFINITY;

  private constructor(
    account: string,
    configured: TokenPair,
    stored: StoredCredentials | undefined,
    { store, warn, shutdown }: CredentialRecordOptions,
  ) {
    this.#account = account;
    this.#configured = configured;
    this.#store = store;
    this.#warn = warn;
    this.#shutdown = shutdown;
    this.#lastSeenToken = stored && primaryToken(stored.current);
    this.#row =
      stored && storedPairWins(stored, configured)
        ? stored
        : { current: configured, startedFrom: pairFingerprint(configured), savedAt: 0 };
  }

  /** Starts from the configured or the stored pair (see `storedPairWins`). */
  static async open(
    account: string,
    configured: TokenPair,
    options: CredentialRecordOptions,
  ): Promise<CredentialRecord> {
    return new CredentialRecord(account, configured, await options.store.findCredentials(account), options);
  }

  get current(): TokenPair {
    return this.#row.current;
  }

  /** When Kimi issued the current pair (milliseconds since the epoch); undefined for a configured or imported one. */
  get refreshedAt(): number | undefined {
    const { startedFrom, savedAt } = this.#row;
    return startedFrom === startedFromLogin || savedAt === 0 ? undefined : savedAt;
  }

  /** False while the store lacks the latest change of the row. */
  get isSaved(): boolean {
    return this.#isSaved;
  }

  /** Whether the store has failed to grant the lock within the last `lockRetry` milliseconds. */
  get isLockUnavailable(): boolean {
    return performance.now() - this.#lockFailedAt < limits.lockRetry;
  }

  /**
   * Refresh tokens to try, newest first: an older one may still work if the response of a refresh was lost. Includes
   * the configured one only if it belongs to the same user.
   */
  refreshTokens(): string[] {
    const { current, previous } = this.#row;
    const [currentClaims, configuredClaims] = [current, this.#configured].map((pair) =>
      decodeClaims(primaryToken(pair) ?? ""),
    );
    const isSameUser = currentClaims?.subject === configuredClaims?.subject;
    const pairs = [current, previous, ...(isSameUser ? [this.#configured] : [])];
    return [...new Set(pairs.flatMap((pair) => pair?.refreshToken ?? []))];
  }

  /** Adopts a pair that another process has stored since; true if there was one. If the store fails: false. */
  async reload(): Promise<boolean> {
    try {
      const stored = await this.#store.findCredentials(this.#account);
      const storedToken = stored && primaryToken(stored.current);
      if (!stored || storedToken === this.#lastSeenToken) return false;
      this.#lastSeenToken = storedToken;
      if (!storedPairWins(stored, this.#configured)) return false;
      this.#row = stored;
      this.#isSaved = true;
      return true;
    } catch (error) {
      this.#warnOnce("the stored login could not be read", error);
      return false;
    }
  }

  /**
   * Replaces the current pair by one that Kimi has just issued, which is stored before it is used. False if another
   * pair was stored meanwhile: `moonbridge login` takes no lock, and its pair has priority.
   */
  async replace(pair: TokenPair): Promise<boolean> {
    if (await this.reload()) return false;
    const startedFrom = pairFingerprint(this.#configured);
    const changes = { current: pair, previous: this.#row.current, startedFrom, savedAt: Date.now() };
    const row = { ...this.#row, ...changes };
    await this.#save(row);
    this.#row = row;
    return true;
  }

  /** Removes the previous pair, once the current one has worked. True if the row must be saved: call `sync`. */
  dropPrevious(): boolean {
    if (this.#row.previous === undefined) return false;
    const { previous: _, ...row } = this.#row;
    this.#row = row;
    this.#isSaved = false;
    return true;
  }

  /** Saves the row if it is not saved. Resolves to true if the store had a newer pair, which is adopted instead. */
  async sync(): Promise<boolean> {
    return this.withLock(async () => {
      if (await this.reload()) return true;
      if (!this.#isSaved) await this.#save(this.#row);
      return false;
    });
  }

  /**
   * Runs `work` while holding this account's lock. If the store fails, urgent work runs without the lock, so that the
   * credentials do not expire because of a full disk; other work is not run: throws RefreshPostponed.
   */
  async withLock<T>(work: () => Promise<T>, isUrgent = false): Promise<T> {
    const lockName = `renew ${this.#account}`;
    const owner = randomUUID();
    const acquireLock = () => this.#store.acquireLock(lockName, owner, Date.now() + limits.refreshLock);
    try {
      await this.#pollUntil(acquireLock);
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      this.#warnOnce("the store cannot be written, so the login has no lock", error);
      this.#lockFailedAt = performance.now();
      if (!isUrgent) throw new RefreshPostponed();
    }
    const lockExtension = setInterval(() => acquireLock().catch(() => {}), limits.refreshLock / 3);
    try {
      return await work();
    } finally {
      clearInterval(lockExtension);
      await this.#store.releaseLock(lockName, owner).catch(() => {});
    }
  }

  async #pollUntil(isDone: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + limits.refreshLockWait;
    while (!(await isDone())) {
      this.#shutdown.throwIfAborted();
      if (performance.now() > deadline)
        throw new GatewayError("upstream_unavailable", lockedElsewhereMessage);
      await setTimeout(limits.refreshLockPoll);
    }
  }

  async #save(row: StoredCredentials): Promise<void> {
    try {
      await this.#store.saveCredentials(this.#account, row);
      this.#lastSeenToken = primaryToken(row.current);
      this.#isSaved = true;
      this.#hasWarned = false;
    } catch (error) {
      this.#isSaved = false;
      this.#warnOnce(
        "renewed tokens could not be stored; until they can, they are lost if Moonbridge stops",
        error,
      );
    }
  }

  /** Logs only the first failure until the store works again. */
  #warnOnce(message: string, error: unknown): void {
    if (!this.#hasWarned) this.#warn(message, error);
    this.#hasWarned = true;
  }
}

const lockedElsewhereMessage = "Another Moonbridge process is still renewing this login. Try again.";
