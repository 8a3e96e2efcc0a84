import { constants } from "node:fs";
import { chmod, copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/schema.js";
import { ConfigError } from "../config/validate.js";
import { partialSuffix } from "../files/local-file-store.js";
import { maintenanceMessages as messages } from "../i18n/maintenance-messages.js";
import { createFolder } from "../lib/create-folder.js";
import { errorCode } from "../lib/error-code.js";
import { backUpStore } from "../store/open-store.js";

/** The paths of a backup, and how many uploaded files are in it. */
export type Backup = { database: string; filesFolder: string; files: number };

/**
 * Writes the database and the uploaded files into a new folder that only its owner can read, while a server may go on running.
 * Encryption keys are in the environment and not in the backup. Throws ConfigError if the folder has something in it, and
 * StoreError.
 */
export async function backUp(config: Pick<Config, "store" | "files">, folder: string): Promise<Backup> {
  await createEmptyFolder(folder);
  const database = join(folder, "moonbridge.db");
  // Before the files: one that is uploaded meanwhile is then an unknown file, and not a file without its bytes.
  await backUpStore(config, database);
  const filesFolder = join(folder, "moonbridge-files");
  await mkdir(filesFolder, { mode: 0o700 });
  let count = 0;
  for (const name of await listFiles(config.files.folder))
    if (await copyUnlessGone(join(config.files.folder, name), join(filesFolder, name))) count++;
  return { database, filesFolder, files: count };
}

async function createEmptyFolder(folder: string): Promise<void> {
  try {
    await createFolder(folder);
    if ((await readdir(folder)).length === 0) return await chmod(folder, 0o700);
  } catch (cause) {
    throw new ConfigError(messages.folderNotWritable(folder, errorCode(cause) ?? "unknown"), { cause });
  }
  throw new ConfigError(messages.folderNotEmpty(folder));
}

/** False if a client deleted the file meanwhile. */
async function copyUnlessGone(file: string, copy: string): Promise<boolean> {
  try {
    await copyFile(file, copy, constants.COPYFILE_FICLONE);
    return true;
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return false;
    throw new ConfigError(messages.fileNotCopied(file, errorCode(cause) ?? "unknown"), { cause });
  }
}

/** Names of the uploaded files; not of those that are being received. */
async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && !entry.name.endsWith(partialSuffix))
      .map(({ name }) => name);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
