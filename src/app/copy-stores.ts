import { existsSync } from "node:fs";
import { type CopiedPart, copyStore } from "../admin/store-copy/copy-store.js";
import { describeStore, type StoreLocation } from "../config/store-location.js";
import { ConfigError } from "../config/validate.js";
import { maintenanceMessages } from "../i18n/maintenance-messages.js";
import { storeMessages } from "../i18n/store-messages.js";
import { openStore } from "../store/open-store.js";

/**
 * Copies the store at one place to the other one, which is created if it is missing. Throws ConfigError if there is nothing to
 * copy, and what `copyStore` throws.
 */
export async function* copyStores(
  from: StoreLocation,
  to: StoreLocation,
  encryptionKeys: readonly Buffer[],
): AsyncGenerator<CopiedPart> {
  if (describeStore(from) === describeStore(to)) throw new ConfigError(maintenanceMessages.sameStore);
  if (from.kind === "sqlite" && !existsSync(from.path))
    throw new ConfigError(storeMessages.noDatabase(from.path));
  const source = await openStore({ store: from, encryptionKeys });
  try {
    const target = await openStore({ store: to, encryptionKeys });
    try {
      yield* copyStore(source, target);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
