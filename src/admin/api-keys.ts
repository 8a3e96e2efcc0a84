import { NewKeySchema, toKeySettings } from "../config/key-schema.js";
import { checkKeySettings } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { ConfigError, checkSchema } from "../config/validate.js";
import { createApiKey, hasExpired } from "../core/api-key.js";
import type { KeySettings, KeyStore } from "../core/store.js";

/** A key as it is listed: never the key itself. */
export type ListedApiKey = {
  name: string;
  settings: KeySettings;
  /** Where it is defined. */
  origin: "config" | "store";
  /** Milliseconds since the epoch; undefined for keys of the configuration and of versions that did not record it. */
  createdAt: number | undefined;
};

/** Adds, lists and revokes API keys. A running server sees changes of the store at once. */
export class ApiKeyAdmin {
  readonly #config: Pick<Config, "keys" | "upstreams">;
  readonly #store: KeyStore;

  constructor(config: Pick<Config, "keys" | "upstreams">, store: KeyStore) {
    this.#config = config;
    this.#store = store;
  }

  /** Stores a new key and returns it; afterwards only its hash is known. Throws ConfigError. */
  async add(name: string, settings: Record<string, unknown>): Promise<string> {
    const requested = checkSchema({ name, ...settings }, NewKeySchema);
    checkKeySettings(requested, this.#config.upstreams);
    const { key, stored } = createApiKey(name, toKeySettings(requested));
    if (hasExpired(stored.settings)) throw new ConfigError("expires: this time is over already.");
    const isTaken =
      this.#config.keys.some((each) => each.name === name) || !(await this.#store.addKey(stored));
    if (isTaken)
      throw new ConfigError(`There is a key “${name}” already. Revoke it first, or choose another name.`);
    return key;
  }

  /** Keys of the configuration first, then those of the store, oldest first. */
  async list(): Promise<ListedApiKey[]> {
    const stored = await this.#store.listKeys();
    return [
      ...this.#config.keys.map((key) => ({
        name: key.name,
        settings: toKeySettings(key),
        origin: "config" as const,
        createdAt: undefined,
      })),
      ...stored.map(({ name, settings, createdAt }) => ({
        name,
        settings,
        origin: "store" as const,
        createdAt,
      })),
    ];
  }

  /** Removes a stored key; tokens issued for it stop working as well. Throws ConfigError. */
  async revoke(name: string): Promise<void> {
    if (await this.#store.removeKey(name)) return;
    const isConfigured = this.#config.keys.some((key) => key.name === name);
    throw new ConfigError(
      isConfigured
        ? `The key “${name}” stands in the config. Take it out there and start Moonbridge again.`
        : `There is no key “${name}”. “moonbridge keys list” shows those there are.`,
    );
  }
}
