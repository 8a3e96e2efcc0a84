import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode } from "./error-code.js";

/**
 * Creates a folder that only its owner can read, with the folders above it; one that exists stays as it is. Throws the error
 * of the system. Node's own `recursive` never returns where a folder that exists takes no new entries and says ENOENT, as
 * /proc does, and names a read-only file system ENOENT.
 */
export async function createFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
  } catch (error) {
    const parent = dirname(folder);
    if (errorCode(error) !== "ENOENT" || parent === folder) throw error;
    // Another process may have made the folder above since.
    if (!(await isFolder(parent))) await createFolder(parent);
    await makeFolder(folder);
  }
}

/** Creates a folder in one that exists. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (!(await isFolder(folder))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
