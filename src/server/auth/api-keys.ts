import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { KeyConfig } from "../../config/key-schema.js";
import { GatewayError } from "../../core/errors.js";
import type { KeySettings, KeyStore, StoredKey } from "../../core/store.js";

/** An API key that opens this server, by its hash only. */
export type Key = {
  name: string;
  hash: Buffer;
  settings: KeySettings;
  /** A person chose it, and it is short: it could be found by trying. */
  guessable: boolean;
};

export type KeyLimits = Pick<KeySettings, "requestsPerMinute" | "concurrency">;

/** A key of so many characters cannot be found by trying, unless it is a sentence. */
export const unguessable = 32;

/** The keys of the config, and those of the store as they are at the moment they are asked for. */
export class KeyRing {
  readonly #configured: readonly Key[];
  readonly #store: KeyStore;

  constructor(configured: readonly KeyConfig[], store: KeyStore) {
    this.#configured = configured.map(fromConfig);
    this.#store = store;
  }

  /** The key, also when it has expired; takes the same time wherever a wrong one differs. */
  async find(key: string): Promise<Key | undefined> {
    const hash = digest(key);
    let found: Key | undefined;
    for (const each of this.#configured) if (sameHash(each.hash, hash)) found = each;
    if (found) return found;
    // An index compares byte by byte, but nobody can choose the bytes of a hash.
    const stored = await this.#store.keyByHash(hash.toString("hex"));
    return stored && fromStore(stored);
  }

  /** The keys of this name: one in the config and one in the store may share it. */
  async named(name: string): Promise<Key[]> {
    const stored = await this.#store.keyByName(name);
    const configured = this.#configured.filter((key) => key.name === name);
    return stored ? [...configured, fromStore(stored)] : configured;
  }
}

/** A new key to show once, and what is kept of it. */
export function createKey(name: string, settings: KeySettings): { key: string; stored: StoredKey } {
  const key = `sk-moonbridge-${randomBytes(24).toString("base64url")}`;
  return { key, stored: { name, sha256: digest(key).toString("hex"), settings, createdAt: Date.now() } };
}

/** What a key is settled to from how it is written down; without scopes it may chat and nothing else. */
export function settingsOf(written: Omit<KeyConfig, "key"> & { key?: string }): KeySettings {
  const { name: _name, key: _key, expires, scopes, ...rest } = written;
  return {
    ...rest,
    scopes: scopes ?? ["chat"],
    ...(expires === undefined ? {} : { expires: endOf(expires) }),
  };
}

export function hasExpired({ expires }: Pick<KeySettings, "expires">): boolean {
  return expires !== undefined && expires <= Date.now();
}

/** Throws `invalid_api_key` if the key's time is over. */
export function refuseExpired({ settings: { expires } }: Key): void {
  if (expires === undefined || !hasExpired({ expires })) return;
  const when = new Date(expires).toISOString().replace(":00.000Z", "Z");
  throw new GatewayError("invalid_api_key", `This API key expired at ${when}. Use another one.`);
}

/** The time, or the end of the day in UTC. */
function endOf(date: string): number {
  const time = Date.parse(date);
  return date.includes("T") ? time : time + 86_400_000;
}

/** In constant time. */
export function sameHash(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function fromConfig(written: KeyConfig): Key {
  const { name, key } = written;
  const hex = /^sha256:([0-9a-f]{64})$/i.exec(key)?.[1];
  return {
    name,
    hash: hex ? Buffer.from(hex, "hex") : digest(key),
    settings: settingsOf(written),
    guessable: hex !== undefined || key.length < unguessable,
  };
}

function fromStore({ name, sha256, settings }: StoredKey): Key {
  return { name, hash: Buffer.from(sha256, "hex"), settings, guessable: false };
}

function digest(key: string): Buffer {
  return hash("sha256", key, "buffer");
}
