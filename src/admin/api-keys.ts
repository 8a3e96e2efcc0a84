import { NewKeySchema, toKeySettings } from "../config/key-schema.js";
import { checkKeySettings } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { ConfigError, checkSchema } from "../config/validate.js";
import { createApiKey, hasExpired } from "../core/api-key.js";
import { calendarDay } from "../core/calendar-day.js";
import type { JournalStore } from "../core/journal.js";
import type { KeySettings, KeyStore, KeyUsage, KeyUsageStore } from "../core/store.js";
import { keyMessages } from "../i18n/key-messages.js";
import type { LocalizedText } from "../i18n/text.js";

/** A key as it is listed: never the key itself. */
export type ListedApiKey = {
  name: string;
  settings: KeySettings;
  /** Where it is defined. */
  origin: "config" | "store";
  /** Milliseconds since the epoch; undefined for keys of the configuration and of versions that did not record it. */
  createdAt: number | undefined;
  /** When its last request ended, in milliseconds since the epoch; undefined if the daily sums have none. */
  lastUsedAt: number | undefined;
  /** What a key with a budget has used today. */
  usedToday: KeyUsage | undefined;
};

/** A model's name that no upstream answers for. `isCertain`: every upstream has listed its models. */
export type UnknownModel = { name: string; nearest: string | undefined; isCertain: boolean };

/** Finds the first of these model names that no upstream answers for; of all upstreams, or of those with these names. */
export type FindUnknownModel = (
  models: readonly string[],
  upstreams: readonly string[] | undefined,
) => Promise<UnknownModel | undefined>;

export type ApiKeyAdminOptions = {
  config: Pick<Config, "keys" | "upstreams">;
  store: KeyStore & KeyUsageStore;
  /** Knows when each key was last used. */
  journal: Pick<JournalStore, "lastUses">;
  findUnknownModel: FindUnknownModel;
};

/** Adds, lists and revokes API keys. A running server sees changes of the store at once. */
export class ApiKeyAdmin {
  readonly #config: ApiKeyAdminOptions["config"];
  readonly #store: ApiKeyAdminOptions["store"];
  readonly #journal: ApiKeyAdminOptions["journal"];
  readonly #findUnknownModel: FindUnknownModel;

  constructor({ config, store, journal, findUnknownModel }: ApiKeyAdminOptions) {
    this.#config = config;
    this.#store = store;
    this.#journal = journal;
    this.#findUnknownModel = findUnknownModel;
  }

  /**
   * Stores a new key and returns it; afterwards only its hash is known. `warning`: what could not be checked. Throws
   * ConfigError.
   */
  async add(
    name: string,
    settings: Record<string, unknown>,
  ): Promise<{ key: string; warning: LocalizedText | undefined }> {
    const requested = checkSchema({ name, ...settings }, NewKeySchema);
    checkKeySettings(requested, this.#config.upstreams);
    const { key, stored } = createApiKey(name, toKeySettings(requested));
    if (hasExpired(stored.settings)) throw new ConfigError(keyMessages.expiredAlready);
    const warning = await this.#checkModels(requested.models ?? [], requested.upstreams);
    const isTaken =
      this.#config.keys.some((each) => each.name === name) || !(await this.#store.addKey(stored));
    if (isTaken) throw new ConfigError(keyMessages.nameIsTaken(name));
    return { key, warning };
  }

  /**
   * Changes settings of a stored key from its next request on; those that are not in `changes` stay, and null removes one.
   * Throws ConfigError.
   */
  async update(name: string, changes: Record<string, unknown>): Promise<void> {
    const stored = await this.#store.findKeyByName(name);
    if (!stored) throw this.#notStored(name);
    const { expires, ...settings } = stored.settings;
    const present = expires === undefined ? {} : { expires: new Date(expires).toISOString() };
    const merged = Object.entries({ ...settings, ...present, ...changes }).filter(
      ([, value]) => value !== null,
    );
    const requested = checkSchema({ name, ...Object.fromEntries(merged) }, NewKeySchema);
    checkKeySettings(requested, this.#config.upstreams);
    if (changes.models !== undefined) await this.#checkModels(requested.models ?? [], requested.upstreams);
    await this.#store.updateKey(name, toKeySettings(requested));
  }

  async #checkModels(models: readonly string[], upstreams: readonly string[] | undefined) {
    const unknown = await this.#findUnknownModel(models, upstreams);
    if (!unknown) return undefined;
    const { name, nearest, isCertain } = unknown;
    if (!isCertain) return keyMessages.modelsUncertain(name);
    throw new ConfigError(keyMessages.noSuchModel(name, nearest));
  }

  /** Keys of the configuration first, then those of the store, oldest first. */
  async list(): Promise<ListedApiKey[]> {
    const configured = this.#config.keys.map((key) => ({
      name: key.name,
      settings: toKeySettings(key),
      origin: "config" as const,
      createdAt: undefined,
    }));
    const stored = (await this.#store.listKeys()).map(({ name, settings, createdAt }) => ({
      name,
      settings,
      origin: "store" as const,
      createdAt,
    }));
    const uses = await this.#journal.lastUses();
    return Promise.all(
      [...configured, ...stored].map(async (key) => ({
        ...key,
        lastUsedAt: uses.get(key.name),
        usedToday: await this.#usedToday(key),
      })),
    );
  }

  async #usedToday({
    name,
    settings,
  }: Pick<ListedApiKey, "name" | "settings">): Promise<KeyUsage | undefined> {
    const hasBudget = settings.requestsPerDay !== undefined || settings.tokensPerDay !== undefined;
    return hasBudget ? this.#store.findKeyUsage(name, calendarDay(Date.now()).date) : undefined;
  }

  /** Removes a stored key; tokens issued for it stop working as well. Throws ConfigError. */
  async revoke(name: string): Promise<void> {
    if (!(await this.#store.removeKey(name))) throw this.#notStored(name);
  }

  #notStored(name: string): ConfigError {
    const isConfigured = this.#config.keys.some((key) => key.name === name);
    return new ConfigError(isConfigured ? keyMessages.isConfigured(name) : keyMessages.noSuchKey(name));
  }
}
