import { setTimeout } from "node:timers/promises";
import { Deadline } from "../core/deadline.js";
import { GatewayError, toGatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { CredentialStore } from "../core/store.js";
import type { TokenPair } from "../core/token.js";
import type { AccountStatus } from "../core/types.js";
import { abortable } from "../lib/abortable.js";
import { AccessTokenLifetime } from "./access-token-lifetime.js";
import {
  newTokenRefusedMessage,
  noRefreshTokenMessage,
  refreshRefusedMessage,
  removedLoginMessage,
  toAccountStatus,
} from "./account-status.js";
import { Backoff } from "./backoff.js";
import { CredentialRecord, RefreshPostponed } from "./credential-record.js";
import { CredentialSync } from "./credential-sync.js";
import { primaryToken } from "./token-precedence.js";

/**
 * Exchanges a refresh token for a new pair; `refused` if Kimi rejects the token. Throws GatewayError if the outcome is
 * unknown, for instance because Kimi cannot be reached.
 */
export type RefreshTokens = (refreshToken: string, signal: AbortSignal) => Promise<TokenPair | "refused">;

export type CredentialsContext = {
  store: CredentialStore;
  refresh: RefreshTokens;
  /** Writes a warning to the log; `error` never contains a token. */
  warn: (message: string, error: unknown) => void;
};

/**
 * The tokens of one account. Concurrent callers, and all processes on one store, share one refresh; it runs ahead of
 * expiry in the background, and the new pair is stored before it is used. Call `close` when done.
 */
export class Credentials {
  readonly #record: CredentialRecord;
  readonly #refresh: RefreshTokens;
  readonly #warn: CredentialsContext["warn"];
  readonly #shutdown: AbortController;
  readonly #maintenanceTimer: NodeJS.Timeout;
  readonly #lifetime = new AccessTokenLifetime();
  readonly #backoff = new Backoff();
  readonly #sync: CredentialSync;
  /** Why the last refresh failed; undefined once one has succeeded. */
  #lastError: GatewayError | undefined;
  #refreshing: Promise<string> | undefined;
  #lastUsedAt = 0;
  /** Whether Kimi has accepted no access token since this process last refreshed. */
  #isUnconfirmed = false;

  private constructor(
    record: CredentialRecord,
    shutdown: AbortController,
    { refresh, warn }: CredentialsContext,
  ) {
    this.#record = record;
    this.#refresh = refresh;
    this.#warn = warn;
    this.#shutdown = shutdown;
    this.#sync = new CredentialSync(record, () => this.#clearError());
    this.#calibrateClock();
    this.#maintenanceTimer = setInterval(() => void this.#maintain(), limits.refreshCheckInterval).unref();
  }

  /** Starts from the configured or the stored pair (see `storedPairWins`). Makes no request. */
  static async open(
    account: string,
    configured: TokenPair,
    context: CredentialsContext,
  ): Promise<Credentials> {
    const shutdown = new AbortController();
    const { store, warn } = context;
    const record = await CredentialRecord.open(account, configured, {
      store,
      warn,
      shutdown: shutdown.signal,
    });
    return new Credentials(record, shutdown, context);
  }

  /**
   * An access token that is valid by its claims. Refreshes an expired token first, and one that is about to expire in
   * the background. `minimumLifetime`: milliseconds for which the token should still be valid; one with less is
   * refreshed first, unless that fails or takes too long. Throws `account_login_required` when the user must log in again.
   */
  async accessToken(signal: AbortSignal, minimumLifetime = 0): Promise<string> {
    this.#lastUsedAt = Date.now();
    const token = this.#record.current.accessToken;
    if (token === undefined || this.#elapsedFraction() >= 1) return abortable(this.#startRefresh(), signal);
    if (this.#canOutlast(minimumLifetime, token)) return this.#refreshInTime(token, signal);
    this.#refreshIfDue();
    return token;
  }

  /**
   * Makes a request with a valid access token. If `isRejection` recognises the error as a rejected token, refreshes and
   * retries once.
   */
  async withAccessToken<T>(
    request: (token: string) => Promise<T>,
    isRejection: (error: unknown) => boolean,
    signal: AbortSignal,
  ): Promise<T> {
    const token = await this.accessToken(signal);
    try {
      return await request(token);
    } catch (error) {
      if (!isRejection(error)) throw error;
      return request(await this.replace(token, signal));
    }
  }

  /** A new access token after Kimi rejected `rejected`; refreshes only if the token has not been replaced since. */
  async replace(rejected: string, signal: AbortSignal): Promise<string> {
    const token = this.#record.current.accessToken;
    if (token === rejected) {
      if (this.#isUnconfirmed && this.#lifetime.isJustRefreshed)
        throw new GatewayError("account_login_required", newTokenRefusedMessage);
      this.#lifetime.recordRejection(rejected);
    } else if (token !== undefined && this.#elapsedFraction() < 1) return token;
    return abortable(this.#startRefresh(), signal);
  }

  /** Call when Kimi has accepted this access token: if it is the current one, the previous pair is dropped. */
  async confirm(accessToken: string): Promise<void> {
    if (accessToken !== this.#record.current.accessToken) return;
    this.#isUnconfirmed = false;
    if (this.#record.dropPrevious()) await this.#sync.run();
  }

  /** The user's id from the tokens, or a fingerprint of the configured pair where they have none. */
  accountId(): string {
    return this.#record.accountId();
  }

  /** The account's first name, if it was renamed since. */
  firstName(): string | undefined {
    return this.#record.firstName;
  }

  status(): AccountStatus {
    const token = primaryToken(this.#record.current);
    return toAccountStatus({
      isUsable: this.#elapsedFraction() < 1,
      isRefreshable: this.#record.refreshTokens().length > 0,
      expiresAt: token === undefined ? undefined : this.#lifetime.expiresAt(token),
      lastError: this.#lastError,
      retryAt: Date.now() + this.#backoff.remaining,
    });
  }

  /** Stops refreshing. Waits briefly for a refresh that is running, then stores a pair that is not stored yet. */
  async close(): Promise<void> {
    clearInterval(this.#maintenanceTimer);
    this.#shutdown.abort(new GatewayError("shutting_down", "Moonbridge is shutting down."));
    const refreshing = Promise.allSettled([this.#refreshing]);
    await Promise.race([refreshing, setTimeout(limits.refreshAtShutdown, undefined, { ref: false })]);
    await this.#sync.close();
  }

  /** Periodic work: adopts what `moonbridge login` or another process has stored, and refreshes what is due. */
  async #maintain(): Promise<void> {
    if (await this.#record.reload()) this.#clearError();
    this.#refreshIfDue();
  }

  #refreshIfDue(): void {
    if (this.#isRefreshDue()) this.#startRefresh().catch(() => {});
  }

  #isRefreshDue(): boolean {
    // Only a new login helps: the refresh first checks whether `moonbridge login` has stored one.
    if (this.#lastError?.code === "account_login_required") return true;
    const elapsed = this.#elapsedFraction();
    if (!this.#lifetime.isRefreshDue(this.#record.current.accessToken)) return false;
    if (this.#record.refreshTokens().length === 0) return elapsed >= 1;
    if (this.#backoff.remaining > 0 || (elapsed < 1 && this.#record.isLockUnavailable)) return false;
    const now = Date.now();
    return (
      now - this.#lastUsedAt < limits.refreshAheadAfterUse ||
      now - (this.#record.refreshedAt ?? 0) >= limits.unusedRefreshInterval
    );
  }

  /** Whether a valid token ends within this time, and a refresh that is tried now may give one that lasts longer. */
  #canOutlast(milliseconds: number, token: string): boolean {
    // The cheapest checks first: this runs for every call, and `refreshTokens` decodes the tokens.
    return (
      this.#lifetime.endsWithin(milliseconds, token) &&
      this.#backoff.remaining === 0 &&
      !this.#record.isLockUnavailable &&
      this.#record.refreshTokens().length > 0
    );
  }

  /** A refreshed token; `valid`, or what has replaced it, if there is none within `limits.refreshWait`. */
  async #refreshInTime(valid: string, signal: AbortSignal): Promise<string> {
    const deadline = new Deadline(signal, limits.refreshWait, refreshTimeout);
    try {
      return await abortable(this.#startRefresh(), deadline.signal);
    } catch {
      signal.throwIfAborted();
      return this.#record.current.accessToken ?? valid;
    } finally {
      deadline.clear();
    }
  }

  /** Elapsed fraction of the current access token's lifetime; 1 or more if it cannot be used. */
  #elapsedFraction(): number {
    return this.#lifetime.elapsedFraction(this.#record.current.accessToken);
  }

  #startRefresh(): Promise<string> {
    this.#refreshing ??= this.#refreshLocked().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Refreshes under the store's lock. A process that had to wait for the lock adopts the pair stored meanwhile. */
  async #refreshLocked(): Promise<string> {
    this.#shutdown.signal.throwIfAborted();
    const before = this.#record.current.accessToken;
    const adopted = await this.#adoptStored(before);
    if (adopted !== undefined) return adopted;
    if (this.#record.refreshTokens().length === 0)
      throw new GatewayError("account_login_required", noRefreshTokenMessage);
    await this.#waitForBackoff();
    try {
      const work = async (fence: number | undefined) =>
        (await this.#adoptStored(before)) ?? this.#tryRefreshTokens(fence);
      return await this.#record.withLock(work, this.#elapsedFraction() >= 1);
    } catch (error) {
      if (!(error instanceof RefreshPostponed)) this.#recordFailure(error);
      throw error;
    }
  }

  /** An access token that another process or `moonbridge login` has stored, if usable and not `before`. */
  async #adoptStored(before: string | undefined): Promise<string | undefined> {
    if (await this.#record.reload()) this.#clearError();
    const token = this.#record.current.accessToken;
    return token !== before && this.#elapsedFraction() < 1 ? token : undefined;
  }

  /**
   * During back-off, callers wait, or get the last error with `retryAfterSeconds` if the pause is longer than
   * `refreshWait`.
   */
  async #waitForBackoff(): Promise<void> {
    const { remaining } = this.#backoff;
    if (!this.#lastError || remaining === 0) return;
    if (remaining > limits.refreshWait) throw this.#lastError.withRetryAfter(remaining);
    await setTimeout(remaining, undefined, { signal: this.#shutdown.signal });
  }

  async #tryRefreshTokens(fence: number | undefined): Promise<string> {
    // Another record may renew the same tokens under the account's new name.
    if (await this.#record.isRemoved()) throw new GatewayError("account_login_required", removedLoginMessage);
    const signal = AbortSignal.timeout(limits.refresh);
    const { current } = this.#record;
    for (const refreshToken of this.#record.refreshTokens()) {
      const pair = await this.#refresh(refreshToken, signal);
      if (pair === "refused" || pair.accessToken === undefined) continue;
      const newPair = { accessToken: pair.accessToken, refreshToken: pair.refreshToken ?? refreshToken };
      if (await this.#record.replace(current, newPair, fence)) {
        this.#lifetime.recordRefresh();
        this.#isUnconfirmed = true;
      }
      this.#sync.retryIfUnsaved();
      this.#clearError();
      return pair.accessToken;
    }
    throw new GatewayError("account_login_required", refreshRefusedMessage, {
      upstreamCode: "refresh_refused",
    });
  }

  #clearError(): void {
    this.#lastError = undefined;
    this.#backoff.reset();
    this.#calibrateClock();
  }

  /** Uses the time of the last refresh, which the record also has for a refresh by another process. */
  #calibrateClock(): void {
    const { current, refreshedAt } = this.#record;
    if (refreshedAt !== undefined) this.#lifetime.calibrate(current.accessToken, refreshedAt);
  }

  #recordFailure(thrown: unknown): void {
    if (this.#shutdown.signal.aborted) return;
    const error = toGatewayError(thrown);
    if (!this.#lastError) this.#warn("the login could not be renewed; it is tried again", error);
    this.#lastError = error;
    const delays =
      error.code === "account_login_required" ? limits.refusedRefreshBackoff : limits.failedRefreshBackoff;
    // For an overload, `retryAfterSeconds` is a default of Moonbridge, so the growing delays are used instead.
    const requestedDelay = error.code === "rate_limited" ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
    this.#backoff.recordFailure(delays, requestedDelay);
  }
}

function refreshTimeout(): GatewayError {
  return new GatewayError("timeout", "Kimi has not renewed the login in time for this request.");
}
