import { stat } from "node:fs/promises";
import type { Config } from "../../config/schema.js";
import type { Store } from "../../core/store.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import { formatByteSize } from "../../lib/byte-size.js";
import type { Finding } from "./finding.js";
import { checkRedis } from "./redis.js";

/** Reports how a store that was opened, which proves that it can be used, keeps what it is given. */
export async function checkStore({
  store,
  encryptionKeys,
}: Pick<Config, "store" | "encryptionKeys">): Promise<Finding[]> {
  if (store.kind === "redis") return checkRedis(store.url);
  return [await checkDatabase(store.path, encryptionKeys)];
}

/** The size, encryption and file modes of a database. */
async function checkDatabase(storePath: string, encryptionKeys: readonly Buffer[]): Promise<Finding> {
  const what = doctorMessages.subjects.store;
  const [file, ...others] = await Promise.all(
    ["", "-wal", "-shm"].map((suffix) => stat(storePath + suffix).catch(() => undefined)),
  );
  const bytes = [file, ...others].reduce((sum, part) => sum + (part?.size ?? 0), 0);
  const encryption = encryptionKeys.length > 0 ? doctorMessages.sealed : doctorMessages.notSealed;
  const detail = doctorMessages.store(storePath, formatByteSize(bytes), encryption);
  // Windows has no POSIX file modes.
  const isOpen = process.platform !== "win32" && ((file?.mode ?? 0) & 0o077) !== 0;
  if (!isOpen) return { what, state: "ok", detail };
  return {
    what,
    state: "warn",
    detail: doctorMessages.readableByOthers(detail),
    remedy: doctorMessages.restrict(storePath),
  };
}

/** Counts chats that are due for deletion upstream; a running Moonbridge deletes them within minutes. */
export async function checkDueChats(store: Store): Promise<Finding> {
  const what = doctorMessages.subjects.chats;
  const count = await store.countDueChats(Date.now());
  if (count === 0) return { what, state: "ok", detail: doctorMessages.noDueChats };
  const detail = doctorMessages.dueChats(count);
  if (count <= 100) return { what, state: "ok", detail };
  return {
    what,
    state: "warn",
    detail,
    remedy: doctorMessages.letItRun,
  };
}
