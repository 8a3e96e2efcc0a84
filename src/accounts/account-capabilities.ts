import {
  busySeconds,
  type Capabilities,
  type CapabilityChange,
  type CapabilityFlag,
  type CapabilityState,
  type CapabilityStore,
  capabilities,
  capabilityFlags,
  type StoredCapability,
} from "../core/capabilities.js";
import { limits } from "../core/limits.js";
import { hash } from "../lib/hash.js";

export type AccountCapabilitiesOptions = {
  /** The id of the account, which changes when another person logs in. */
  accountId: () => string;
  /** Undefined where nothing is kept. */
  store: CapabilityStore | undefined;
  /** A capability was turned off, by something that Kimi did. */
  onContradicted: (name: CapabilityFlag) => void;
  warn: (message: string, error: unknown) => void;
};

type Known = CapabilityChange & { value: boolean | number };

/** The account's key in the store: a hash, so that the table names nobody. */
export function capabilityAccount(accountId: string): string {
  return hash("capabilities", accountId);
}

/**
 * What is known of one account. What a probe or another process stores is read within `limits.capabilityReload`. Call
 * `close` when done.
 */
export class AccountCapabilities implements Capabilities {
  readonly #options: AccountCapabilitiesOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #known = new Map<string, Known>();
  #account = "";
  #hasFailed = false;

  private constructor(options: AccountCapabilitiesOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#reload(), limits.capabilityReload).unref();
  }

  static async open(options: AccountCapabilitiesOptions): Promise<AccountCapabilities> {
    const opened = new AccountCapabilities(options);
    await opened.#reload();
    return opened;
  }

  has(name: CapabilityFlag): boolean {
    return this.#flag(name).value;
  }

  get busySeconds(): number {
    return this.#busySeconds().value;
  }

  contradict(name: CapabilityFlag): void {
    if (!this.has(name)) return;
    const change = { value: false, source: "use", changedAt: Date.now() } as const;
    this.#known.set(name, change);
    this.#options.onContradicted(name);
    const account = capabilityAccount(this.#options.accountId());
    this.#options.store?.saveCapabilities([{ account, name, ...change }]).catch((error: unknown) => {
      this.#options.warn("what Kimi does not do could not be stored; it is noticed again", error);
    });
  }

  list(): CapabilityState[] {
    return [...capabilityFlags.map((name) => this.#flag(name)), this.#busySeconds()];
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #flag(name: CapabilityFlag): Extract<CapabilityState, { name: CapabilityFlag }> {
    const known = this.#known.get(name);
    return known && typeof known.value === "boolean"
      ? { name, value: known.value, change: changeOf(known) }
      : { name, value: capabilities[name].default, change: undefined };
  }

  #busySeconds(): Extract<CapabilityState, { name: typeof busySeconds.name }> {
    const { name } = busySeconds;
    const known = this.#known.get(name);
    return known && typeof known.value === "number"
      ? { name, value: known.value, change: changeOf(known) }
      : { name, value: busySeconds.default, change: undefined };
  }

  async #reload(): Promise<void> {
    const account = capabilityAccount(this.#options.accountId());
    if (account !== this.#account) this.#known.clear();
    this.#account = account;
    try {
      const stored = (await this.#options.store?.listCapabilities(account)) ?? [];
      for (const capability of stored) this.#adopt(capability);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#options.warn("what is known of Kimi's account could not be read", error);
      this.#hasFailed = true;
    }
  }

  #adopt({ name, value, source, changedAt }: StoredCapability): void {
    const known = this.#known.get(name);
    if (known === undefined || known.changedAt <= changedAt)
      this.#known.set(name, { value, source, changedAt });
  }
}

function changeOf({ source, changedAt }: Known): CapabilityChange {
  return { source, changedAt };
}
