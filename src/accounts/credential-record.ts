import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { CredentialStore, StoredCredentials } from "../core/store.js";
import { decodeClaims, type TokenPair } from "../core/token.js";
import { byLogin, nameOf, newestToken, wins } from "./token-precedence.js";

/** The store fails and nobody needs the renewal yet: better later than without a lock. */
export class Postponed extends GatewayError {
  constructor() {
    super("upstream_unavailable", "The login is not renewed while Moonbridge's database cannot be written.");
  }
}

export type KeptLoginOptions = {
  store: CredentialStore;
  /** Tells the log; `error` never holds a token. */
  warn: (message: string, error: unknown) => void;
  /** Ends what waits for the lock. */
  stop: AbortSignal;
};

/** The pair that is in force, and its row in the store, which other processes and `moonbridge login` write too. */
export class KeptLogin {
  readonly #account: string;
  readonly #configured: TokenPair;
  readonly #store: CredentialStore;
  readonly #warn: KeptLoginOptions["warn"];
  readonly #stop: AbortSignal;
  #row: StoredCredentials;
  /** The newest token that the store was seen to hold: another one there is news. */
  #seen: string | undefined;
  #isSaved = true;
  #hasWarned = false;
  #lockFailedAt = Number.NEGATIVE_INFINITY;

  private constructor(
    account: string,
    configured: TokenPair,
    stored: StoredCredentials | undefined,
    { store, warn, stop }: KeptLoginOptions,
  ) {
    this.#account = account;
    this.#configured = configured;
    this.#store = store;
    this.#warn = warn;
    this.#stop = stop;
    this.#seen = stored && newestToken(stored.current);
    this.#row =
      stored && wins(stored, configured)
        ? stored
        : { current: configured, startedFrom: nameOf(configured), savedAt: 0 };
  }

  /** Starts from the configured or the stored pair, whichever wins. */
  static async open(account: string, configured: TokenPair, options: KeptLoginOptions): Promise<KeptLogin> {
    return new KeptLogin(account, configured, await options.store.credentials(account), options);
  }

  get current(): TokenPair {
    return this.#row.current;
  }

  /** When Kimi gave the current pair; undefined for one that a person has brought. */
  get givenAt(): number | undefined {
    const { startedFrom, savedAt } = this.#row;
    return startedFrom === byLogin || savedAt === 0 ? undefined : savedAt;
  }

  /** False while the store does not have what is in force. */
  get isSaved(): boolean {
    return this.#isSaved;
  }

  /** Whether the store could not give its lock just now. */
  get hasNoLock(): boolean {
    return performance.now() - this.#lockFailedAt < limits.lockFailure;
  }

  /**
   * The newest first; an older one may still work where a renewal's answer was lost. That of the configuration only
   * where it is the same user's.
   */
  refreshTokens(): string[] {
    const { current, previous } = this.#row;
    const [ours, configured] = [current, this.#configured].map((pair) =>
      decodeClaims(newestToken(pair) ?? ""),
    );
    const isOurs = ours?.subject === configured?.subject;
    const pairs = [current, previous, ...(isOurs ? [this.#configured] : [])];
    return [...new Set(pairs.flatMap((pair) => pair?.refreshToken ?? []))];
  }

  /** Takes over what others have stored since; true if there was something. Where the store fails there was nothing. */
  async look(): Promise<boolean> {
    try {
      const stored = await this.#store.credentials(this.#account);
      const newest = stored && newestToken(stored.current);
      if (!stored || newest === this.#seen) return false;
      this.#seen = newest;
      if (!wins(stored, this.#configured)) return false;
      this.#row = stored;
      this.#isSaved = true;
      return true;
    } catch (error) {
      this.#warnOnce("the stored login could not be read", error);
      return false;
    }
  }

  /**
   * Puts a pair that Kimi has just given in force; it is stored before anyone can use it. False if others have stored
   * one meanwhile: `moonbridge login` asks for no lock, and what it brings is what the person wants.
   */
  async take(pair: TokenPair): Promise<boolean> {
    if (await this.look()) return false;
    const startedFrom = nameOf(this.#configured);
    const given = { current: pair, previous: this.#row.current, startedFrom, savedAt: Date.now() };
    const row = { ...this.#row, ...given };
    await this.#save(row);
    this.#row = row;
    return true;
  }

  /** The current pair has worked: the one before is no longer needed. True if the store is to learn of it. */
  settle(): boolean {
    if (this.#row.previous === undefined) return false;
    const { previous: _, ...row } = this.#row;
    this.#row = row;
    this.#isSaved = false;
    return true;
  }

  /** Brings the store up to date. Resolves to true if it had something newer instead. */
  async catchUp(): Promise<boolean> {
    return this.alone(async () => {
      if (await this.look()) return true;
      if (!this.#isSaved) await this.#save(this.#row);
      return false;
    });
  }

  /**
   * Does the work while no other process does such work on this login. Where the store cannot give the lock, work that
   * is `urgent` is done without it, for a full disk must not cost the login; the rest throws Postponed.
   */
  async alone<T>(work: () => Promise<T>, urgent = false): Promise<T> {
    const name = `renew ${this.#account}`;
    const owner = randomUUID();
    const hold = () => this.#store.lock(name, owner, Date.now() + limits.renewalLock);
    try {
      await this.#until(hold);
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      this.#warnOnce("the store cannot be written, so the login has no lock", error);
      this.#lockFailedAt = performance.now();
      if (!urgent) throw new Postponed();
    }
    const holding = setInterval(() => hold().catch(() => {}), limits.renewalLock / 3);
    try {
      return await work();
    } finally {
      clearInterval(holding);
      await this.#store.unlock(name, owner).catch(() => {});
    }
  }

  async #until(isDone: () => Promise<boolean>): Promise<void> {
    const giveUpAt = performance.now() + limits.renewalElsewhere;
    while (!(await isDone())) {
      this.#stop.throwIfAborted();
      if (performance.now() > giveUpAt) throw new GatewayError("upstream_unavailable", heldElsewhere);
      await setTimeout(limits.renewalPoll);
    }
  }

  async #save(row: StoredCredentials): Promise<void> {
    try {
      await this.#store.saveCredentials(this.#account, row);
      this.#seen = newestToken(row.current);
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

  /** Once for each time that the store stops working. */
  #warnOnce(message: string, error: unknown): void {
    if (!this.#hasWarned) this.#warn(message, error);
    this.#hasWarned = true;
  }
}

const heldElsewhere = "Another Moonbridge process is still renewing this login. Try again.";
