import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { basename, isAbsolute, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { GatewayError } from "../core/errors.js";

/** An open file; `close` must be called. */
type OpenFile = { name: string; bytes: AsyncIterable<Buffer>; close(): Promise<void> };

/** The folders of this machine whose files a program may have read by their paths. */
export class AllowedFolders {
  readonly #folders: readonly string[];

  private constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  /** `folders` as they are after all symbolic links. Throws the system's error for one that is not there. */
  static async open(folders: readonly string[]): Promise<AllowedFolders> {
    return new AllowedFolders(await Promise.all(folders.map((folder) => realpath(folder))));
  }

  /**
   * Opens a regular file by its absolute path or `file:` address, wherever its links lead. Throws `invalid_request` for any
   * other path, and for one outside the folders, whether there is a file or not.
   */
  async openFile(path: string): Promise<OpenFile> {
    if (this.#folders.length === 0)
      throw pathError(
        "files of this computer are read only from folders that are allowed: moonbridge mcp --folder <folder>",
      );
    const absolute = toAbsolutePath(path);
    const real = await realpath(absolute).catch(() => undefined);
    if (real === undefined || !this.#contains(real))
      throw pathError("there is no such file in the folders that are allowed (moonbridge mcp --folder)");
    const file = await openRegularFile(real);
    return { name: basename(real), bytes: file.createReadStream(), close: () => closeQuietly(file) };
  }

  #contains(path: string): boolean {
    return this.#folders.some((folder) => {
      const below = relative(folder, path);
      return below !== "" && below !== ".." && !below.startsWith(`..${sep}`) && !isAbsolute(below);
    });
  }
}

function toAbsolutePath(path: string): string {
  if (/^file:/i.test(path)) {
    try {
      return fileURLToPath(path);
    } catch {
      throw pathError("this is no address of a file on this computer");
    }
  }
  if (!isAbsolute(path) || path.includes("\0"))
    throw pathError(
      "expected a web address, the id of an uploaded file, or the absolute path of a file on this computer",
    );
  return path;
}

/** A link that took the file's place, a device and a pipe, which may block, are refused. */
async function openRegularFile(path: string): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => {
    throw pathError("this file cannot be opened");
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw pathError("this is not a regular file");
}

/** The stream closes the file, too, when it has been read. */
async function closeQuietly(file: FileHandle): Promise<void> {
  await file.close().catch(() => {});
}

function pathError(reason: string): GatewayError {
  return new GatewayError("invalid_request", `source: ${reason}.`, { param: "source" });
}
