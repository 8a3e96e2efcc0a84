import { randomUUID } from "node:crypto";
import { stat, statfs, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Config } from "../../config/schema.js";
import type { FileStore } from "../../core/store.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import { formatByteSize } from "../../lib/byte-size.js";
import type { Finding } from "./finding.js";

/** Checks that uploaded files can be stored, and reports used and free space. */
export async function checkFiles(
  { files: { folder, maxBytes } }: Pick<Config, "files">,
  store: FileStore | undefined,
): Promise<Finding> {
  const what = doctorMessages.subjects.files;
  const stored = await store?.countFiles();
  const used = stored
    ? doctorMessages.filesKept(stored.files, formatByteSize(stored.bytes))
    : doctorMessages.filesInStore;
  const existingFolder = await nearestExistingFolder(folder);
  const code = existingFolder === undefined ? "ENOENT" : await tryToWrite(existingFolder);
  if (existingFolder === undefined || code !== undefined) {
    const detail = doctorMessages.filesNotWritable(folder, code ?? "unknown", used);
    return { what, state: "fail", detail, remedy: doctorMessages.letWriteFiles };
  }
  const { bavail, bsize } = await statfs(existingFolder);
  const freeBytes = bavail * bsize;
  const exists = existingFolder === folder;
  const detail = doctorMessages.files(folder, exists, used, formatByteSize(freeBytes));
  if (freeBytes >= maxBytes) return { what, state: "ok", detail };
  return {
    what,
    state: "warn",
    detail,
    remedy: doctorMessages.freeSpace(formatByteSize(maxBytes)),
  };
}

/** The folder itself, or its nearest existing ancestor, in which it would be created. */
async function nearestExistingFolder(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch(() => undefined);
  if (found) return folder;
  return dirname(folder) === folder ? undefined : nearestExistingFolder(dirname(folder));
}

/**
 * Creates and deletes a file in the folder. Resolves to the error code if that fails. File modes are not enough: root
 * may write to a folder in spite of them, and a read-only disk refuses writes in spite of them.
 */
async function tryToWrite(folder: string): Promise<string | undefined> {
  const path = join(folder, `.doctor-${randomUUID()}`);
  try {
    await writeFile(path, "", { flag: "wx", mode: 0o600 });
    await unlink(path);
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unknown";
  }
}
