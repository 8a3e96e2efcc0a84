import type { Config } from "../config/schema.js";
import type { Store } from "../core/store.js";
import { backUpDatabase } from "./sqlite/backup.js";
import { SqliteStore } from "./sqlite/store.js";

/**
 * Opens the store that the configuration names, creating or migrating it. Throws StoreError where it cannot be used.
 */
export function openStore({
  storePath,
  encryptionKeys,
}: Pick<Config, "storePath" | "encryptionKeys">): Promise<Store> {
  return SqliteStore.open(storePath, encryptionKeys);
}

/** Writes a copy of the store into a file that does not exist yet, while servers go on writing. Throws StoreError. */
export function backUpStore({ storePath }: Pick<Config, "storePath">, copy: string): Promise<void> {
  return backUpDatabase(storePath, copy);
}
