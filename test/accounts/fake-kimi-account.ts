import { type IssueOptions, TokenIssuer } from "../../simulator/tokens.js";
import { Credentials, type RefreshTokens } from "../../src/accounts/credentials.js";
import { GatewayError, toGatewayError } from "../../src/core/errors.js";
import type { CredentialStore, Store } from "../../src/core/store.js";
import type { TokenPair } from "../../src/core/token.js";
import { StoreError } from "../../src/store/errors.js";
import { openStore } from "../../src/store/open-store.js";
import { withClockAhead } from "./virtual-time.js";

/** Fault of a token refresh: refused although the token is valid, or successful with the response lost. */
export type RefreshFault = "refused" | "lost";

/** Kimi's side of one account, on Kimi's clock. */
export class FakeKimiAccount {
  /** Calls of the token refresh. */
  attempts = 0;
  maxConcurrent = 0;
  /** Calls of the token refresh that have reached Kimi, with any outcome. */
  refreshes = 0;
  /** Faults of the next calls, in order. */
  readonly faults: RefreshFault[] = [];
  isUnreachable = false;
  latency = 200;
  #inFlight = 0;
  readonly #tokenIssuer: TokenIssuer;
  readonly #aheadMs: number;

  constructor({ ahead = 0, graceSeconds = 60, accessSeconds = 900 } = {}) {
    this.#tokenIssuer = new TokenIssuer(accessSeconds, graceSeconds);
    this.#aheadMs = ahead;
  }

  issueTokens(options: IssueOptions = {}): Required<TokenPair> {
    return this.#onKimiClock(() => this.#tokenIssuer.issue(options));
  }

  readonly refresh: RefreshTokens = async (refreshToken) => {
    this.attempts++;
    this.maxConcurrent = Math.max(this.maxConcurrent, ++this.#inFlight);
    try {
      await new Promise((resolve) => setTimeout(resolve, this.latency));
      return this.#answer(refreshToken);
    } finally {
      this.#inFlight--;
    }
  };

  #answer(refreshToken: string): TokenPair | "refused" {
    if (this.isUnreachable) throw new GatewayError("upstream_unavailable", "Kimi cannot be reached.");
    this.refreshes++;
    const fault = this.faults.shift();
    if (fault === "refused") return "refused";
    const pair = this.#onKimiClock(() => this.#tokenIssuer.rotate(refreshToken));
    if (fault === "lost") throw new GatewayError("upstream_cut", "The answer was lost.");
    return pair ?? "refused";
  }

  /** Revokes refresh tokens, as a logout does. */
  revoke(...refreshTokens: (string | undefined)[]): void {
    for (const token of refreshTokens) this.#tokenIssuer.revoke(token ?? "");
  }

  accepts(accessToken: string): boolean {
    try {
      this.#onKimiClock(() => this.#tokenIssuer.authenticate(accessToken));
      return true;
    } catch {
      return false;
    }
  }

  #onKimiClock<T>(work: () => T): T {
    return withClockAhead(this.#aheadMs, work);
  }
}

/** Fault of a process's store. */
export type StoreFault = "locked" | "full";

/** A Moonbridge process with the credentials of one account, on a store that processes may share. */
export class GatewayProcess {
  /** Requests that were not answered at once. */
  waits = 0;
  /** Requests that failed. */
  failures = 0;
  readonly #kimi: FakeKimiAccount;
  readonly #store: Store;
  readonly credentials: Credentials;
  readonly #lifecycle: { ended: boolean };

  private constructor(
    kimi: FakeKimiAccount,
    store: Store,
    credentials: Credentials,
    lifecycle: { ended: boolean },
  ) {
    this.#kimi = kimi;
    this.#store = store;
    this.credentials = credentials;
    this.#lifecycle = lifecycle;
  }

  static async start(
    kimi: FakeKimiAccount,
    path: string,
    configured: TokenPair,
    storeFault: () => StoreFault | undefined = () => undefined,
  ): Promise<GatewayProcess> {
    const store = await openStore({ store: { kind: "sqlite", path }, encryptionKeys: [] });
    const lifecycle = { ended: false };
    /** Never settles once the process was killed. */
    const ifAlive = async <T>(work: () => Promise<T>): Promise<T> => {
      const result = lifecycle.ended ? new Promise<T>(() => {}) : await work();
      return lifecycle.ended ? new Promise<T>(() => {}) : result;
    };
    const access = <T>(work: () => Promise<T>, failing: readonly StoreFault[]) =>
      ifAlive(async () => {
        const fault = storeFault();
        if (fault !== undefined && failing.includes(fault)) throw new StoreError("The disk fails.");
        return work();
      });
    const reading = <T>(work: () => Promise<T>) => access(work, ["locked"]);
    const writing = <T>(work: () => Promise<T>) => access(work, ["locked", "full"]);
    const faultyStore: CredentialStore = {
      isShared: store.isShared,
      findCredentials: (account) => reading(() => store.findCredentials(account)),
      saveCredentials: (...row) => writing(() => store.saveCredentials(...row)),
      acquireLock: (...lock) => writing(() => store.acquireLock(...lock)),
      releaseLock: (...lock) => writing(() => store.releaseLock(...lock)),
    };
    const refresh: RefreshTokens = (token, signal) => ifAlive(() => kimi.refresh(token, signal));
    const credentials = await Credentials.open("me", configured, {
      store: faultyStore,
      refresh,
      warn: () => {},
    });
    return new GatewayProcess(kimi, store, credentials, lifecycle);
  }

  /** Uses the credentials as an upstream does for one request, and resolves to the outcome. */
  async request(): Promise<"answered" | GatewayError> {
    const startedAt = Date.now();
    const signal = new AbortController().signal;
    try {
      let token = await this.credentials.accessToken(signal);
      if (!this.#kimi.accepts(token)) token = await this.credentials.replace(token, signal);
      if (!this.#kimi.accepts(token)) throw new GatewayError("account_login_required", "Refused twice.");
      await this.credentials.confirm(token);
      if (Date.now() > startedAt) this.waits++;
      return "answered";
    } catch (error) {
      this.failures++;
      return toGatewayError(error);
    }
  }

  async stop(): Promise<void> {
    await this.credentials.close();
    await this.#store.close();
  }

  /** Stops at once, without saving or releasing anything. */
  async kill(): Promise<void> {
    this.#lifecycle.ended = true;
    void this.credentials.close();
    await this.#store.close();
  }
}
