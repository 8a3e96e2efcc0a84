import { randomUUID } from "node:crypto";
import { stat, statfs, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Config } from "../../config/schema.js";
import type { FileStore } from "../../core/store.js";
import { formatByteSize } from "../../lib/byte-size.js";
import type { Finding } from "./finding.js";

/** Checks that uploaded files can be stored, and reports used and free space. */
export async function checkFiles(
  { files: { folder, maxBytes } }: Pick<Config, "files">,
  store: FileStore | undefined,
): Promise<Finding> {
  const what = "files";
  const kept = await store?.countFiles();
  const used = kept
    ? `${kept.files} kept, ${formatByteSize(kept.bytes)}`
    : "what is kept stands in the store";
  const at = await nearestExistingFolder(folder);
  const code = at === undefined ? "ENOENT" : await tryToWrite(at);
  if (at === undefined || code !== undefined) {
    const remedy = 'Let this user write the folder, or set "files.folder" to another one.';
    return { what, state: "fail", detail: `${folder} cannot be written (${code}); ${used}`, remedy };
  }
  const { bavail, bsize } = await statfs(at);
  const left = bavail * bsize;
  const detail = `${folder}${at === folder ? "" : " (made when needed)"}; ${used}; ${formatByteSize(left)} left`;
  if (left >= maxBytes) return { what, state: "ok", detail };
  return {
    what,
    state: "warn",
    detail,
    remedy: `Free some space: one file may have ${formatByteSize(maxBytes)}.`,
  };
}

/** The folder itself, or its nearest existing ancestor, in which it would be created. */
async function nearestExistingFolder(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch(() => undefined);
  if (found) return folder;
  return dirname(folder) === folder ? undefined : nearestExistingFolder(dirname(folder));
}

/** The error code if a file cannot be created there. It is tried, since access rights alone do not tell, least of all for root. */
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
