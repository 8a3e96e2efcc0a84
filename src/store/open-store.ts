import type { Config } from "../config/schema.js";
import { describeStore } from "../config/store-location.js";
import type { Store } from "../core/store.js";
import { maintenanceMessages } from "../i18n/maintenance-messages.js";
import { StoreError } from "./errors.js";
import { backUpDatabase } from "./sqlite/backup.js";
import { SqliteStore } from "./sqlite/store.js";

/**
 * Opens the store that the configuration names, creating or migrating it. Throws StoreError where it cannot be used.
 */
export async function openStore({
  store,
  encryptionKeys,
}: Pick<Config, "store" | "encryptionKeys">): Promise<Store> {
  if (store.kind === "sqlite") return SqliteStore.open(store.path, encryptionKeys);
  // Only then: its client takes a tenth of a second to load.
  const { RedisStore } = await import("./redis/store.js");
  return RedisStore.open(store.url, encryptionKeys);
}

/**
 * Writes a copy of the database into a file that does not exist yet, while servers go on writing. Throws StoreError, also where
 * the store is Redis.
 */
export async function backUpStore({ store }: Pick<Config, "store">, copy: string): Promise<void> {
  if (store.kind === "redis") throw new StoreError(maintenanceMessages.backupOfRedis(describeStore(store)));
  await backUpDatabase(store.path, copy);
}
