import { timingSafeEqual } from "node:crypto";
import { type KeyConfig, toKeySettings } from "../../config/key-schema.js";
import { hasExpired, hashApiKey, minimumUnguessableLength } from "../../core/api-key.js";
import { GatewayError } from "../../core/errors.js";
import type { KeySettings, KeyStore, StoredKey } from "../../core/store.js";
import { StoreFailure } from "../../core/store-failure.js";
import { BoundedMap } from "../../lib/bounded-map.js";

/** An API key that this server accepts, known by its hash only. */
export type ApiKey = {
  name: string;
  hash: Buffer;
  settings: KeySettings;
  /** Chosen by a person and short enough to be found by brute force. */
  isGuessable: boolean;
};

/** The rate limit of a key; undefined: unlimited. */
export type KeyLimits = Pick<KeySettings, "requestsPerMinute">;

/** Stored keys that are remembered for the time in which the store cannot be read. */
const rememberedKeys = 1_000;

/**
 * The API keys of the configuration and of the store, which is read at each lookup. While it cannot be read, keys that were
 * found before go on; nobody can revoke one meanwhile.
 */
export class ApiKeys {
  #configured: readonly ApiKey[];
  readonly #store: KeyStore;
  /** By the hash in hex. */
  readonly #remembered = new BoundedMap<ApiKey | undefined>(rememberedKeys);

  constructor(configured: readonly KeyConfig[], store: KeyStore) {
    this.#configured = configured.map(fromConfig);
    this.#store = store;
  }

  /** From now on these are the keys of the configuration. */
  replaceConfigured(configured: readonly KeyConfig[]): void {
    this.#configured = configured.map(fromConfig);
  }

  /** Finds a key by its text, expired ones included. Compares hashes in constant time. */
  find(key: string): Promise<ApiKey | undefined> {
    return this.findByHash(hashApiKey(key));
  }

  /** Finds a key by its SHA-256, expired ones included. */
  async findByHash(hash: Buffer): Promise<ApiKey | undefined> {
    let found: ApiKey | undefined;
    for (const each of this.#configured) if (equalHashes(each.hash, hash)) found = each;
    if (found) return found;
    // The store's index does not compare in constant time; that leaks nothing, since a caller cannot choose the hash.
    const hex = hash.toString("hex");
    try {
      const stored = await this.#store.findKeyByHash(hex);
      const key = stored && fromStore(stored);
      if (key || this.#remembered.get(hex)) this.#remembered.set(hex, key);
      return key;
    } catch (error) {
      const remembered = error instanceof StoreFailure ? this.#remembered.get(hex) : undefined;
      if (!remembered) throw error;
      return remembered;
    }
  }

  /** The keys with this name, expired ones included; the configuration and the store may each have one. */
  async findByName(name: string): Promise<ApiKey[]> {
    const stored = await this.#store.findKeyByName(name);
    const configured = this.#configured.filter((key) => key.name === name);
    return stored ? [...configured, fromStore(stored)] : configured;
  }
}

/** Throws `invalid_api_key` if the key has expired. */
export function throwIfExpired({ settings: { expires } }: ApiKey): void {
  if (expires === undefined || !hasExpired({ expires })) return;
  const when = new Date(expires).toISOString().replace(":00.000Z", "Z");
  throw new GatewayError("invalid_api_key", `This API key expired at ${when}. Use another one.`);
}

/** Compares two hashes in constant time. */
export function equalHashes(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function fromConfig(configured: KeyConfig): ApiKey {
  const { name, key } = configured;
  const hex = /^sha256:([0-9a-f]{64})$/i.exec(key)?.[1];
  return {
    name,
    hash: hex ? Buffer.from(hex, "hex") : hashApiKey(key),
    settings: toKeySettings(configured),
    isGuessable: hex !== undefined || key.length < minimumUnguessableLength,
  };
}

function fromStore({ name, sha256, settings }: StoredKey): ApiKey {
  return { name, hash: Buffer.from(sha256, "hex"), settings, isGuessable: false };
}
