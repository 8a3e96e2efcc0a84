import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { ChatError } from "../chat/errors.js";
import type { AccountStatus } from "../chat/types.js";
import { limits } from "../config/limits.js";
import type { CredentialStore, StoredCredentials } from "../store/store.js";
import { claims, fingerprint, type TokenPair } from "./token.js";

/** Exchanges a refresh token for a new pair, or says that it is refused. Throws ChatError when it cannot tell. */
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

const noRefreshToken =
  "This Kimi account's access token has expired and there is no refresh token. Copy access_token and refresh_token " +
  "from Kimi's site (F12 → Application → Local storage) into the config.";
const refusedLogin =
  "Kimi refuses this account's refresh token: it has expired or you logged out on Kimi's site. Log in there, copy " +
  "access_token and refresh_token (F12 → Application → Local storage) into the config and restart Moonbridge.";

/** The tokens of one account: gives a valid one, renews it once for all who ask, and keeps it durably. */
export class Credentials {
  readonly #account: string;
  readonly #store: CredentialStore;
  readonly #renew: Renew;
  readonly #warn: Surroundings["warn"];
  readonly #configured: TokenPair;
  #current: TokenPair;
  #previous: TokenPair | undefined;
  #savedAt = 0;
  #site: StoredCredentials["site"];
  #renewing: Promise<string> | undefined;
  /** Tells this process from others on the same store. */
  readonly #owner = randomUUID();
  #refusedAt: number | undefined;
  readonly #renewAt = renewAfter - jitter * Math.random();

  private constructor(
    account: string,
    configured: TokenPair,
    stored: StoredCredentials | undefined,
    { store, renew, warn }: Surroundings,
  ) {
    this.#account = account;
    this.#store = store;
    this.#renew = renew;
    this.#warn = warn;
    this.#configured = configured;
    const useStored = stored !== undefined && isNewer(stored, configured);
    this.#current = useStored ? stored.current : configured;
    this.#previous = useStored ? stored.previous : undefined;
    this.#savedAt = stored?.savedAt ?? 0;
    this.#site = useStored ? stored.site : undefined;
  }

  /** Starts from the newer of the configured and the stored pair. */
  static async open(
    account: string,
    configured: TokenPair,
    surroundings: Surroundings,
  ): Promise<Credentials> {
    return new Credentials(account, configured, await surroundings.store.credentials(account), surroundings);
  }

  /**
   * An access token that is valid by its own words; renews it first if it is not, and in the background if it
   * soon will not be. Throws `account_login_required` when only the person can help.
   */
  async accessToken(signal: AbortSignal): Promise<string> {
    const token = this.#current.accessToken;
    const age = token === undefined ? 1 : spentShare(token);
    if (token !== undefined && age < this.#renewAt) return token;
    if (token !== undefined && age < 1) {
      if (this.#current.refreshToken && !this.#isRefused()) this.#startRenewing().catch(() => {});
      return token;
    }
    return this.#waitFor(this.#startRenewing(), signal);
  }

  /** A new access token after Kimi refused `rejected`; asks Kimi only if nobody has done so since. */
  async replace(rejected: string, signal: AbortSignal): Promise<string> {
    const token = this.#current.accessToken;
    if (token !== undefined && token !== rejected && this.#renewing === undefined) return token;
    return this.#waitFor(this.#startRenewing(), signal);
  }

  /** The current pair has been accepted by Kimi; the one before is no longer needed. */
  async confirm(used: string): Promise<void> {
    if (this.#previous === undefined || used !== this.#current.accessToken) return;
    this.#previous = undefined;
    await this.#save(this.#current, undefined);
  }

  /** Whose login it is: the user's id, or a fingerprint where the tokens do not say. */
  account(): string {
    const token = newestToken(this.#current) ?? "";
    return claims(token).subject ?? nameOf(this.#configured);
  }

  status(): AccountStatus {
    const token = this.#current.accessToken;
    if (this.#refusedAt !== undefined) return { state: "login required", detail: refusedLogin };
    const expired = token === undefined || spentShare(token) >= 1;
    if (this.#current.refreshToken) return { state: "ok", detail: "The login renews itself." };
    if (expired) return { state: "login required", detail: noRefreshToken };
    return {
      state: "expiring",
      detail: "There is no refresh token: the login ends when the access token expires.",
    };
  }

  /** A waiter may leave; the renewal it waited for goes on for the others. */
  async #waitFor(renewal: Promise<string>, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = () => reject(signal.reason);
      signal.addEventListener("abort", leave, { once: true });
      renewal.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
    });
  }

  #startRenewing(): Promise<string> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** One renewal for all processes on this store: who had to wait for the lock finds the work done. */
  async #renewOnce(): Promise<string> {
    if (this.#isRefused()) throw new ChatError("account_login_required", refusedLogin);
    const before = this.#current.accessToken;
    return this.#alone(async () => {
      await this.#adoptStored();
      const adopted = this.#current.accessToken;
      if (adopted !== undefined && adopted !== before && spentShare(adopted) < 1) return adopted;
      return this.#exchange();
    });
  }

  async #exchange(): Promise<string> {
    const candidates = this.#refreshTokens();
    if (candidates.length === 0) throw new ChatError("account_login_required", noRefreshToken);
    for (const refreshToken of candidates) {
      const pair = await this.#renew(refreshToken, AbortSignal.timeout(2 * limits.unary));
      if (pair === "refused" || pair.accessToken === undefined) continue;
      const renewed = { accessToken: pair.accessToken, refreshToken: pair.refreshToken ?? refreshToken };
      await this.#save(renewed, this.#current);
      this.#previous = this.#current;
      this.#current = renewed;
      this.#refusedAt = undefined;
      return pair.accessToken;
    }
    this.#refusedAt = Date.now();
    throw new ChatError("account_login_required", refusedLogin, { upstreamCode: "refresh_refused" });
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const name = `renew ${this.#account}`;
    const giveUpAt = Date.now() + limits.renewalLock;
    while (!(await this.#lock(name))) {
      if (Date.now() > giveUpAt) {
        throw new ChatError(
          "upstream_unavailable",
          "Another Moonbridge process is still renewing this login. Try again.",
        );
      }
      await setTimeout(limits.renewalPoll);
    }
    try {
      return await work();
    } finally {
      await this.#store.unlock(name, this.#owner).catch(() => {});
    }
  }

  /** A store that cannot be written must not cost the login. */
  async #lock(name: string): Promise<boolean> {
    try {
      return await this.#store.lock(name, this.#owner, Date.now() + limits.renewalLock);
    } catch (error) {
      this.#warn("the login is renewed without a lock", error);
      return true;
    }
  }

  /** Takes over what another process has stored since. */
  async #adoptStored(): Promise<void> {
    const stored = await this.#store.credentials(this.#account);
    if (!stored || stored.savedAt <= this.#savedAt || !isNewer(stored, this.#configured)) return;
    this.#current = stored.current;
    this.#previous = stored.previous;
    this.#savedAt = stored.savedAt;
    this.#site = stored.site;
  }

  /** The newest refresh token first; an older one may still work where a renewal's answer was lost. */
  #refreshTokens(): string[] {
    const tokens = [this.#current, this.#previous, this.#configured].map((pair) => pair?.refreshToken);
    return [...new Set(tokens.filter((token) => token !== undefined))];
  }

  #isRefused(): boolean {
    return this.#refusedAt !== undefined && Date.now() - this.#refusedAt < limits.refusedRefresh;
  }

  /** A full disk must not cost the login: the pair is then used from memory, and the log says so. */
  async #save(current: TokenPair, previous: TokenPair | undefined): Promise<void> {
    try {
      const savedAt = Date.now();
      await this.#store.saveCredentials(this.#account, {
        current,
        ...(previous === undefined ? {} : { previous }),
        startedFrom: nameOf(this.#configured),
        savedAt,
        ...(this.#site === undefined ? {} : { site: this.#site }),
      });
      this.#savedAt = savedAt;
    } catch (error) {
      this.#warn("renewed tokens could not be stored; they are lost when Moonbridge stops", error);
    }
  }
}

/** How much of its lifetime a token has spent; 0 for one that does not say, 1 or more for one that has expired. */
function spentShare(token: string): number {
  const { issuedAt, expiresAt } = claims(token);
  if (expiresAt === undefined) return 0;
  const now = Date.now();
  if (now >= expiresAt) return 1;
  return issuedAt === undefined || issuedAt >= expiresAt
    ? 0
    : Math.max(0, (now - issuedAt) / (expiresAt - issuedAt));
}

/**
 * Whether the stored pair replaces the configured one: it does when it came from it, or when it was issued later
 * to the same user. Another user's stored tokens never win.
 */
function isNewer(stored: StoredCredentials, configured: TokenPair): boolean {
  const pasted = newestToken(configured);
  const kept = newestToken(stored.current);
  if (kept === undefined) return false;
  if (pasted === undefined || stored.startedFrom === nameOf(configured)) return true;
  const [old, newer] = [claims(pasted), claims(kept)];
  if (old.subject !== newer.subject || old.issuedAt === undefined || newer.issuedAt === undefined)
    return false;
  return newer.issuedAt > old.issuedAt;
}

function newestToken(pair: TokenPair): string | undefined {
  return pair.refreshToken ?? pair.accessToken;
}

function nameOf(pair: TokenPair): string {
  return fingerprint(newestToken(pair) ?? "");
}
