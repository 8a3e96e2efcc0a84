import { setTimeout } from "node:timers/promises";
import { GatewayError, toGatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { CredentialStore } from "../core/store.js";
import { decodeClaims, type TokenPair } from "../core/token.js";
import type { AccountStatus } from "../core/types.js";
import { abortable } from "../lib/abortable.js";
import { accountState, noRefreshToken, refusedLogin, refusedNewToken } from "./account-status.js";
import { Backoff } from "./backoff.js";
import { KimiClock } from "./clock-skew.js";
import { KeptLogin, Postponed } from "./credential-record.js";
import { nameOf, newestToken } from "./token-precedence.js";

/** Exchanges a refresh token for a new pair, or says that it is refused. Throws GatewayError when it cannot tell. */
export type Renew = (refreshToken: string, signal: AbortSignal) => Promise<TokenPair | "refused">;

/** What the credentials of an account need around them. */
export type Surroundings = {
  store: CredentialStore;
  renew: Renew;
  /** Tells the log; `error` never holds a token. */
  warn: (message: string, error: unknown) => void;
};

/** The share of its own lifetime after which an access token is renewed ahead of need, and the jitter on it. */
const renewAfter = 0.8;
const jitter = 0.05;

/**
 * The tokens of one account: gives a valid one, renews it once for all who ask and ahead of need, and keeps it
 * durably. Whoever opens it must close it.
 */
export class Credentials {
  readonly #login: KeptLogin;
  readonly #configured: TokenPair;
  readonly #renew: Renew;
  readonly #warn: Surroundings["warn"];
  readonly #stop: AbortController;
  readonly #upkeep: NodeJS.Timeout;
  readonly #clock = new KimiClock();
  readonly #backoff = new Backoff();
  /** Why the last attempt failed; undefined once one has worked. */
  #setback: GatewayError | undefined;
  #renewing: Promise<string> | undefined;
  #catchingUp: Promise<void> | undefined;
  #renewAt = shareToRenewAt();
  #usedAt = 0;
  /** When this process has renewed, and whether Kimi has accepted no token since. */
  #renewedAt = 0;
  #isUntried = false;
  /** Whose the pair is that was asked about last. */
  #user: { pair: TokenPair; name: string } | undefined;
  /** An access token that Kimi refuses, whatever it says of itself. */
  #rejected: string | undefined;

  private constructor(
    login: KeptLogin,
    configured: TokenPair,
    stop: AbortController,
    { renew, warn }: Surroundings,
  ) {
    this.#login = login;
    this.#configured = configured;
    this.#renew = renew;
    this.#warn = warn;
    this.#stop = stop;
    this.#setClock();
    this.#upkeep = setInterval(() => this.#keepUp(), limits.renewalLook).unref();
  }

  /** Starts from the newer of the configured and the stored pair. Asks nothing of Kimi yet. */
  static async open(
    account: string,
    configured: TokenPair,
    surroundings: Surroundings,
  ): Promise<Credentials> {
    const stop = new AbortController();
    const { store, warn } = surroundings;
    const login = await KeptLogin.open(account, configured, { store, warn, stop: stop.signal });
    return new Credentials(login, configured, stop, surroundings);
  }

  /**
   * An access token that is valid by its own words; renews it first if it is not, and in the background if it
   * soon will not be. Throws `account_login_required` when only the person can help.
   */
  async accessToken(signal: AbortSignal): Promise<string> {
    this.#usedAt = Date.now();
    const token = this.#login.current.accessToken;
    if (token === undefined || this.#spentShare() >= 1) return abortable(this.#startRenewing(), signal);
    this.#renewIfDue();
    return token;
  }

  /** A call with a valid login. Where `isRefusal` says that Kimi refused the token, it is renewed and the call repeated, once. */
  async call<T>(
    make: (token: string) => Promise<T>,
    isRefusal: (error: unknown) => boolean,
    signal: AbortSignal,
  ): Promise<T> {
    const token = await this.accessToken(signal);
    try {
      return await make(token);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return make(await this.replace(token, signal));
    }
  }

  /** A new access token after Kimi refused `rejected`; asks Kimi only if nobody has done so since. */
  async replace(rejected: string, signal: AbortSignal): Promise<string> {
    const token = this.#login.current.accessToken;
    if (token === rejected) {
      if (this.#isUntried && this.#isNew()) throw new GatewayError("account_login_required", refusedNewToken);
      this.#rejected = rejected;
    } else if (token !== undefined && this.#spentShare() < 1) return token;
    return abortable(this.#startRenewing(), signal);
  }

  /** Kimi has accepted this access token: if it is the current one, the pair before is no longer needed. */
  async confirm(used: string): Promise<void> {
    if (used !== this.#login.current.accessToken) return;
    this.#isUntried = false;
    if (this.#login.settle()) await this.#catchUp();
  }

  /** Whose login it is: the user's id, or a fingerprint where the tokens do not say. */
  account(): string {
    const { current } = this.#login;
    if (this.#user?.pair !== current) {
      const name = decodeClaims(newestToken(current) ?? "").subject ?? nameOf(this.#configured);
      this.#user = { pair: current, name };
    }
    return this.#user.name;
  }

  status(): AccountStatus {
    const newest = newestToken(this.#login.current);
    return accountState({
      serves: this.#spentShare() < 1,
      renewable: this.#login.refreshTokens().length > 0,
      endsAt: newest === undefined ? undefined : this.#clock.expiry(newest),
      setback: this.#setback,
      triesAgainAt: Date.now() + this.#backoff.remaining,
    });
  }

  /** Stops renewing. What Kimi has given and the store has not is stored first, if that takes no time. */
  async close(): Promise<void> {
    clearInterval(this.#upkeep);
    this.#stop.abort(new GatewayError("shutting_down", "Moonbridge is shutting down."));
    const work = Promise.allSettled([this.#renewing, this.#catchingUp]);
    await Promise.race([work, setTimeout(limits.lastRenewal, undefined, { ref: false })]);
    if (!this.#login.isSaved) await this.#catchUp();
  }

  /** What time brings: a renewal that is due though nobody asks, and a disk that has room again. */
  #keepUp(): void {
    this.#renewIfDue();
    if (!this.#login.isSaved && !this.#login.hasNoLock) void this.#catchUp();
  }

  #renewIfDue(): void {
    if (this.#isDue()) this.#startRenewing().catch(() => {});
  }

  #isDue(): boolean {
    // Only the person can help: it is looked whether `moonbridge login` has.
    if (this.#setback?.code === "account_login_required") return true;
    const share = this.#spentShare();
    if (share < this.#renewAt) return false;
    if (this.#login.refreshTokens().length === 0) return share >= 1;
    if (this.#backoff.remaining > 0 || (share < 1 && this.#login.hasNoLock)) return false;
    const now = Date.now();
    return now - this.#usedAt < limits.keptReady || now - (this.#login.givenAt ?? 0) >= limits.renewedUnused;
  }

  /** How much of its life the current access token has spent; 1 or more if it cannot be used. */
  #spentShare(): number {
    const token = this.#login.current.accessToken;
    if (token === undefined || token === this.#rejected) return 1;
    return this.#isNew() ? 0 : this.#clock.spentShare(token);
  }

  /** Renewed a moment ago: whatever the clocks say, it is not done again. */
  #isNew(): boolean {
    return Date.now() - this.#renewedAt < limits.renewalSpacing;
  }

  #startRenewing(): Promise<string> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** One renewal for all processes on this store: who had to wait for the lock finds the work done. */
  async #renewOnce(): Promise<string> {
    this.#stop.signal.throwIfAborted();
    const before = this.#login.current.accessToken;
    const found = await this.#takeOver(before);
    if (found !== undefined) return found;
    if (this.#login.refreshTokens().length === 0)
      throw new GatewayError("account_login_required", noRefreshToken);
    await this.#pause();
    try {
      const work = async () => (await this.#takeOver(before)) ?? this.#exchange();
      return await this.#login.alone(work, this.#spentShare() >= 1);
    } catch (error) {
      if (!(error instanceof Postponed)) this.#failed(error);
      throw error;
    }
  }

  /** The access token that someone else has stored since, if it can be used in place of `before`. */
  async #takeOver(before: string | undefined): Promise<string | undefined> {
    if (await this.#login.look()) this.#recovered();
    const token = this.#login.current.accessToken;
    return token !== before && this.#spentShare() < 1 ? token : undefined;
  }

  /** Attempts that fail are spaced: who comes in a pause waits for its end, or hears of the failure if it is long. */
  async #pause(): Promise<void> {
    const { remaining } = this.#backoff;
    if (!this.#setback || remaining === 0) return;
    if (remaining > limits.renewalPatience) throw this.#setback.again(remaining);
    await setTimeout(remaining, undefined, { signal: this.#stop.signal });
  }

  async #exchange(): Promise<string> {
    const signal = AbortSignal.timeout(limits.renewal);
    for (const refreshToken of this.#login.refreshTokens()) {
      const pair = await this.#renew(refreshToken, signal);
      if (pair === "refused" || pair.accessToken === undefined) continue;
      const renewed = { accessToken: pair.accessToken, refreshToken: pair.refreshToken ?? refreshToken };
      if (await this.#login.take(renewed)) {
        this.#renewedAt = Date.now();
        this.#isUntried = true;
        this.#renewAt = shareToRenewAt();
      }
      this.#recovered();
      return pair.accessToken;
    }
    throw new GatewayError("account_login_required", refusedLogin, { upstreamCode: "refresh_refused" });
  }

  #recovered(): void {
    this.#setback = undefined;
    this.#backoff.succeeded();
    this.#setClock();
  }

  /** A process beside this one, or before it, may have had the pair from Kimi. */
  #setClock(): void {
    const { current, givenAt } = this.#login;
    if (givenAt !== undefined) this.#clock.setBy(current.accessToken, givenAt);
  }

  #failed(thrown: unknown): void {
    if (this.#stop.signal.aborted) return;
    const error = toGatewayError(thrown);
    if (!this.#setback) this.#warn("the login could not be renewed; it is tried again", error);
    this.#setback = error;
    const sort = error.code === "account_login_required" ? limits.refusedRenewal : limits.failedRenewal;
    // An overload names a time too, but that is ours: a pause that grows serves better.
    const asked = error.code === "rate_limited" ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
    this.#backoff.failed(sort, asked);
  }

  #catchUp(): Promise<void> {
    this.#catchingUp ??= this.#login
      .catchUp()
      .then((news) => {
        if (news) this.#recovered();
      })
      // The log has it already, and it is tried again.
      .catch(() => {})
      .finally(() => {
        this.#catchingUp = undefined;
      });
    return this.#catchingUp;
  }
}

/** A little different each time, so that processes and accounts do not renew all at once. */
function shareToRenewAt(): number {
  return renewAfter + jitter * (Math.random() - 0.5);
}
