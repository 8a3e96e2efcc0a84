import { type IssueOptions, TokenOffice } from "../../simulator/tokens.js";
import { Credentials, type Renew } from "../../src/accounts/credentials.js";
import { GatewayError, toGatewayError } from "../../src/core/errors.js";
import type { CredentialStore } from "../../src/core/store.js";
import type { TokenPair } from "../../src/core/token.js";
import { SqliteStore, StoreError } from "../../src/store/sqlite/store.js";
import { ahead } from "./virtual-time.js";

/** What can become of a call: refused though the token is good, or answered but lost on the way. */
export type Trouble = "refused" | "lost";

/** One account as Kimi has it, by Kimi's own clock. */
export class KimiAccount {
  /** Calls of the token refresh, and the most that there were at once. */
  attempts = 0;
  mostAtOnce = 0;
  /** Calls of the token refresh that have reached Kimi, whatever became of them. */
  refreshes = 0;
  /** For the next calls, in order. */
  readonly troubles: Trouble[] = [];
  isUnreachable = false;
  latency = 200;
  #underWay = 0;
  readonly #office: TokenOffice;
  readonly #ahead: number;

  constructor({ ahead = 0, graceSeconds = 60 } = {}) {
    this.#office = new TokenOffice(900, graceSeconds);
    this.#ahead = ahead;
  }

  login(options: IssueOptions = {}): Required<TokenPair> {
    return this.#byItsClock(() => this.#office.issue(options));
  }

  readonly renew: Renew = async (refreshToken) => {
    this.attempts++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay);
    try {
      await new Promise((resolve) => setTimeout(resolve, this.latency));
      return this.#answer(refreshToken);
    } finally {
      this.#underWay--;
    }
  };

  #answer(refreshToken: string): TokenPair | "refused" {
    if (this.isUnreachable) throw new GatewayError("upstream_unavailable", "Kimi cannot be reached.");
    this.refreshes++;
    const trouble = this.troubles.shift();
    if (trouble === "refused") return "refused";
    const pair = this.#byItsClock(() => this.#office.rotate(refreshToken));
    if (trouble === "lost") throw new GatewayError("upstream_cut", "The answer was lost.");
    return pair ?? "refused";
  }

  /** As if the person had logged out. */
  revoke(...refreshTokens: (string | undefined)[]): void {
    for (const token of refreshTokens) this.#office.revoke(token ?? "");
  }

  accepts(accessToken: string): boolean {
    try {
      this.#byItsClock(() => this.#office.holder(accessToken));
      return true;
    } catch {
      return false;
    }
  }

  #byItsClock<T>(work: () => T): T {
    return ahead(this.#ahead, work);
  }
}

/** What befalls the store of a process. */
export type Ailment = "locked" | "full";

/** A process of Moonbridge with one login, on a store that others may share. */
export class Process {
  /** Questions that had to wait, and those that were not answered. */
  waits = 0;
  failures = 0;
  readonly #kimi: KimiAccount;
  readonly #store: SqliteStore;
  readonly credentials: Credentials;
  readonly #life: { ended: boolean };

  private constructor(
    kimi: KimiAccount,
    store: SqliteStore,
    credentials: Credentials,
    life: { ended: boolean },
  ) {
    this.#kimi = kimi;
    this.#store = store;
    this.credentials = credentials;
    this.#life = life;
  }

  static async start(
    kimi: KimiAccount,
    path: string,
    configured: TokenPair,
    ailment: () => Ailment | undefined = () => undefined,
  ): Promise<Process> {
    const store = await SqliteStore.open(path);
    const life = { ended: false };
    /** A process that was killed does nothing more, not even fail. */
    const alive = async <T>(work: () => Promise<T>): Promise<T> => {
      const result = life.ended ? new Promise<T>(() => {}) : await work();
      return life.ended ? new Promise<T>(() => {}) : result;
    };
    const reach = <T>(work: () => Promise<T>, failing: readonly Ailment[]) =>
      alive(async () => {
        const ill = ailment();
        if (ill !== undefined && failing.includes(ill)) throw new StoreError("The disk fails.");
        return work();
      });
    const reading = <T>(work: () => Promise<T>) => reach(work, ["locked"]);
    const writing = <T>(work: () => Promise<T>) => reach(work, ["locked", "full"]);
    const seen: CredentialStore = {
      credentials: (account) => reading(() => store.credentials(account)),
      saveCredentials: (account, row) => writing(() => store.saveCredentials(account, row)),
      lock: (...lock) => writing(() => store.lock(...lock)),
      unlock: (...lock) => writing(() => store.unlock(...lock)),
    };
    const renew: Renew = (token, signal) => alive(() => kimi.renew(token, signal));
    const credentials = await Credentials.open("me", configured, { store: seen, renew, warn: () => {} });
    return new Process(kimi, store, credentials, life);
  }

  /** What an upstream does for one question. Resolves to what became of it. */
  async ask(): Promise<"answered" | GatewayError> {
    const askedAt = Date.now();
    const signal = new AbortController().signal;
    try {
      let token = await this.credentials.accessToken(signal);
      if (!this.#kimi.accepts(token)) token = await this.credentials.replace(token, signal);
      if (!this.#kimi.accepts(token)) throw new GatewayError("account_login_required", "Refused twice.");
      await this.credentials.confirm(token);
      if (Date.now() > askedAt) this.waits++;
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

  /** Without a word to anyone. */
  async kill(): Promise<void> {
    this.#life.ended = true;
    void this.credentials.close();
    await this.#store.close();
  }
}
