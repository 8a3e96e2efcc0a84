import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { CredentialStore, StoredCredentials } from "../core/store.js";
import type { TokenPair } from "../core/token.js";
import { type AccountLock, acquireAccountLock } from "./account-lock.js";
import {
  isSamePair,
  keepRefreshToken,
  pairClaims,
  pairFingerprint,
  startedFromLogin,
  storedPairWins,
} from "./token-precedence.js";

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
  /** Account id of the pair that `accountId` last decoded. */
  #identity: { pair: TokenPair; accountId: string } | undefined;
  /** Pair last read from or written to the store; a different one means that another process has changed the row. */
  #lastSeenPair: TokenPair | undefined;
  #isSaved = true;
  /** Messages of the failures since the last successful save. */
  readonly #warned = new Set<string>();
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
    this.#lastSeenPair = stored?.current;
    this.#row =
      stored && storedPairWins(stored, configured)
        ? stored
        : {
            ...keepRefreshToken(configured, stored),
            startedFrom: pairFingerprint(configured),
            savedAt: 0,
          };
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

  /** The user's id from the tokens, or a fingerprint of the configured pair where they have none. */
  accountId(): string {
    const { current } = this.#row;
    if (this.#identity?.pair !== current) {
      const accountId = pairClaims(current).user ?? pairFingerprint(this.#configured);
      this.#identity = { pair: current, accountId };
    }
    return this.#identity.accountId;
  }

  /** The account's first name, if it was renamed since. */
  get firstName(): string | undefined {
    return this.#row.firstName;
  }

  /**
   * Whether the store no longer has the login that this record began with: the account was removed, or has another name now
   * under which its tokens are renewed. Never of an account with tokens in the configuration, nor while the store fails.
   */
  async isRemoved(): Promise<boolean> {
    const { accessToken, refreshToken } = this.#configured;
    if (!this.#lastSeenPair || accessToken !== undefined || refreshToken !== undefined) return false;
    try {
      return (await this.#store.findCredentials(this.#account)) === undefined;
    } catch {
      return false;
    }
  }

  /**
   * Refresh tokens to try, newest first: an older one may still work if the response of a refresh was lost. Includes
   * the configured one only if it belongs to the same user.
   */
  refreshTokens(): string[] {
    const { current, previous } = this.#row;
    const isSameUser = pairClaims(current).user === pairClaims(this.#configured).user;
    const pairs = [current, previous, ...(isSameUser ? [this.#configured] : [])];
    return [...new Set(pairs.flatMap((pair) => pair?.refreshToken ?? []))];
  }

  /** Adopts a pair that another process has stored since; true if there was one. If the store fails: false. */
  async reload(): Promise<boolean> {
    try {
      const stored = await this.#store.findCredentials(this.#account);
      if (!stored || (this.#lastSeenPair && isSamePair(stored.current, this.#lastSeenPair))) return false;
      this.#lastSeenPair = stored.current;
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
   * Replaces `renewed`, the current pair, by one that Kimi has just issued for it, which is stored before it is used. False
   * if another pair was stored meanwhile: `moonbridge login` takes no lock, and its pair has priority; so has that of a
   * process that got the lock when this one had lost it. `fence`: that of the lock.
   */
  async replace(renewed: TokenPair, pair: TokenPair, fence: number | undefined): Promise<boolean> {
    if ((await this.reload()) || this.#row.current !== renewed) return false;
    const startedFrom = pairFingerprint(this.#configured);
    const changes = { current: pair, previous: this.#row.current, startedFrom, savedAt: Date.now() };
    const row = { ...this.#row, ...changes };
    if (!(await this.#save(row, fence))) {
      await this.reload();
      return false;
    }
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

  /**
   * Saves the row if it is not saved, and the account was not removed. Resolves to true if the store had a newer pair, which is
   * adopted instead.
   */
  async sync(): Promise<boolean> {
    return this.withLock(async (fence) => {
      if (await this.reload()) return true;
      if (await this.isRemoved()) this.#isSaved = true;
      return !this.#isSaved && !(await this.#save(this.#row, fence)) && this.reload();
    });
  }

  /**
   * Runs `work` while holding this account's lock, with its token. If a store of this machine fails, urgent work runs without
   * the lock, so that the credentials do not expire because of a full disk; other work is not run, and none where the store
   * is shared: throws RefreshPostponed.
   */
  async withLock<T>(work: (fence: number | undefined) => Promise<T>, isUrgent = false): Promise<T> {
    const lock = await this.#acquireLock(isUrgent && !this.#store.isShared);
    try {
      return await work(lock?.fence);
    } finally {
      await lock?.release();
    }
  }

  async #acquireLock(canDoWithout: boolean): Promise<AccountLock | undefined> {
    try {
      const lock = await acquireAccountLock(this.#store, this.#account, this.#shutdown);
      this.#lockFailedAt = Number.NEGATIVE_INFINITY;
      return lock;
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      this.#warnOnce("the store cannot be written, so the login has no lock", error);
      this.#lockFailedAt = performance.now();
      if (!canDoWithout) throw new RefreshPostponed();
      return undefined;
    }
  }

  /** False if newer credentials were stored; true also after a failure, which is logged: the row is saved later. */
  async #save(row: StoredCredentials, fence: number | undefined): Promise<boolean> {
    try {
      if (!(await this.#store.saveCredentials(this.#account, row, fence))) return false;
      this.#lastSeenPair = row.current;
      this.#isSaved = true;
      this.#warned.clear();
    } catch (error) {
      this.#isSaved = false;
      this.#warnOnce(
        "renewed tokens could not be stored; until they can, they are lost if Moonbridge stops",
        error,
      );
    }
    return true;
  }

  /** Logs each kind of failure once until the store works again. */
  #warnOnce(message: string, error: unknown): void {
    if (!this.#warned.has(message)) this.#warn(message, error);
    this.#warned.add(message);
  }
}
