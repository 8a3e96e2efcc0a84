import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { FileSelection, FileStore, StoredFile } from "../core/store.js";
import { createFolder } from "../lib/create-folder.js";
import { errorCode } from "../lib/error-code.js";
import { sanitizeFileName } from "./file-name.js";
import { detectMediaType, withExtension } from "./media-type.js";

/** A file whose bytes are on disk but which is not saved yet. `digest` is SHA-256 in hex. */
export type ReceivedFile = { path: string; size: number; digest: string };

/** Name, type and purpose as the client gives them; name and type may be wrong or empty. */
export type FileMetadata = { name: string; mediaType: string; purpose: string };

/** Of the name of a file that is being received. */
export const partialSuffix = ".part";

/**
 * Files uploaded through `/v1/files`, on disk until they are deleted. Each belongs to the API key that uploaded it and
 * is not visible to others. Contents are streamed, never held in memory as a whole.
 */
export class LocalFileStore {
  readonly #folder: string;
  readonly #store: FileStore;
  readonly #maxBytes: () => number;

  private constructor(folder: string, store: FileStore, maxBytes: () => number) {
    this.#folder = folder;
    this.#store = store;
    this.#maxBytes = maxBytes;
  }

  /**
   * Deletes partial files that a killed process has left. The folder is created with the first file. `maxBytes`: see the
   * property of this name; read at each upload.
   */
  static async open(folder: string, store: FileStore, maxBytes: () => number): Promise<LocalFileStore> {
    const localFiles = new LocalFileStore(folder, store, maxBytes);
    await localFiles.#deleteStalePartials();
    return localFiles;
  }

  /** Size of the largest file that is accepted, in bytes. */
  get maxBytes(): number {
    return this.#maxBytes();
  }

  /** The error for a file larger than `maxBytes`. */
  tooLargeError(): GatewayError {
    const megabytes = Math.floor(this.maxBytes / 1_048_576);
    const maximum = megabytes > 0 ? `${megabytes} MB` : `${this.maxBytes} bytes`;
    return new GatewayError("file_rejected", `The file is larger than ${maximum}, the most that is taken.`);
  }

  /**
   * Streams bytes to a partial file on disk. Throws `file_rejected` for too many bytes or none, `file_storage_full` for
   * a full disk, after deleting the partial file.
   */
  async receive(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ReceivedFile> {
    await createFolder(this.#folder);
    const path = join(this.#folder, `${randomUUID()}${partialSuffix}`);
    const file = await open(path, "wx", 0o600);
    const digest = createHash("sha256");
    const { maxBytes } = this;
    let size = 0;
    try {
      for await (const chunk of bytes) {
        signal.throwIfAborted();
        size += chunk.length;
        if (size > maxBytes) throw this.tooLargeError();
        digest.update(chunk);
        await file.appendFile(chunk);
      }
      if (size === 0) throw new GatewayError("file_rejected", "The file is empty.");
    } catch (error) {
      await file.close();
      await this.discard({ path });
      throw isDiskFull(error) ? storageFullError() : error;
    }
    await file.close();
    return { path, size, digest: digest.digest("hex") };
  }

  /** Deletes a received file that is not saved. */
  async discard({ path }: Pick<ReceivedFile, "path">): Promise<void> {
    await unlink(path).catch(() => {});
  }

  /** Saves a received file for `owner`. Throws `file_storage_full`, after deleting the received file. */
  async save(owner: string, received: ReceivedFile, metadata: FileMetadata): Promise<StoredFile> {
    const id = `file-${randomUUID().replaceAll("-", "")}`;
    const { size, digest } = received;
    const { purpose } = metadata;
    const file: StoredFile = {
      id,
      owner,
      ...resolveNameAndType(metadata),
      purpose,
      size,
      digest,
      createdAt: Date.now(),
    };
    try {
      const usage = await this.#store.countFiles();
      if (usage.files >= limits.storedFiles || usage.bytes + size > limits.storedBytes)
        throw storageFullError();
      await syncToDisk(received.path);
      await rename(received.path, this.#path(id));
      // Not every system can sync a folder.
      await syncToDisk(this.#folder, "r").catch(() => {});
      await this.#store.saveFile(file);
    } catch (error) {
      await this.discard(received);
      await this.discard({ path: this.#path(id) });
      throw error;
    }
    return file;
  }

  /** A file of this owner. Throws `not_found`. */
  async get(owner: string, id: string): Promise<StoredFile> {
    const file = isFileId(id) ? await this.#store.findFile(owner, id) : undefined;
    if (file) return file;
    throw new GatewayError(
      "not_found",
      "There is no file with this id for this key. GET /v1/files lists yours.",
    );
  }

  /** A page of the owner's files, ordered by creation. */
  async list(
    owner: string,
    selection: FileSelection,
  ): Promise<{ files: readonly StoredFile[]; hasMore: boolean }> {
    const { limit } = selection;
    const page = await this.#store.listFiles(owner, { ...selection, limit: limit + 1 });
    return { files: page.slice(0, limit), hasMore: page.length > limit };
  }

  /** Throws `not_found` unless the disk has all bytes of the file. */
  async requireBytes({ id, size }: Pick<StoredFile, "id" | "size">): Promise<void> {
    const onDisk = await stat(this.#path(id)).catch(ignoreMissing);
    if (onDisk?.size !== size) throw bytesGoneError();
  }

  /** A file's bytes, exactly `size`. Throws `not_found`, at any point, if the disk does not have them. */
  read({ id, size }: Pick<StoredFile, "id" | "size">): AsyncGenerator<Uint8Array> {
    return readBytes(this.#path(id), size);
  }

  /** The bytes of a received file. */
  readReceived({ path, size }: Pick<ReceivedFile, "path" | "size">): AsyncGenerator<Uint8Array> {
    return readBytes(path, size);
  }

  /** Deletes a file of this owner. Throws `not_found`. */
  async delete(owner: string, id: string): Promise<void> {
    const file = await this.get(owner, id);
    await this.#store.removeFile(owner, file.id);
    await this.discard({ path: this.#path(file.id) });
  }

  #path(id: string): string {
    return join(this.#folder, id);
  }

  /** Only files older than the longest upload: another process may be receiving the younger ones. */
  async #deleteStalePartials(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    const staleBefore = Date.now() - limits.requestReceive;
    for (const name of names.filter((entry) => entry.endsWith(partialSuffix))) {
      const path = join(this.#folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      if (mtimeMs < staleBefore) await this.discard({ path });
    }
  }
}

/** Reads a file. Its size has been announced to the receiver, so another number of bytes must not pass as complete. */
async function* readBytes(path: string, size: number): AsyncGenerator<Uint8Array> {
  let remaining = size;
  try {
    for await (const chunk of createReadStream(path)) {
      remaining -= chunk.length;
      if (remaining < 0) break;
      yield chunk;
    }
  } catch (error) {
    ignoreMissing(error);
  }
  if (remaining !== 0) throw bytesGoneError();
}

/** Makes the content of a file, or the names in a folder, survive a power failure. */
async function syncToDisk(path: string, flags = "r+"): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function ignoreMissing(error: unknown): undefined {
  if (errorCode(error) !== "ENOENT") throw error;
}

function bytesGoneError(): GatewayError {
  return new GatewayError(
    "not_found",
    "The bytes of this file are no longer complete on this machine. Upload it again.",
  );
}

/** Ids become part of a path, so only the form that `save` generates is accepted. */
function isFileId(id: string): boolean {
  return /^file-[0-9a-f]{32}$/.test(id);
}

/** A safe name, and a media type that is consistent with it. */
function resolveNameAndType({ name, mediaType }: FileMetadata): { name: string; mediaType: string } {
  const safeName = sanitizeFileName(name) || "file";
  const type = detectMediaType(mediaType, safeName);
  return { name: withExtension(safeName, type), mediaType: type };
}

function isDiskFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

function storageFullError(): GatewayError {
  return new GatewayError(
    "file_storage_full",
    "There is no room for more files here. Delete some with DELETE /v1/files/{id}.",
  );
}
