import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { FileSelection, FileStore, StoredFile } from "../core/store.js";
import { errorCode } from "../lib/error-code.js";
import { safeName } from "./file-name.js";
import { mediaTypeOf, withExtension } from "./media-type.js";

/** Bytes that have arrived and lie on disk, not yet anybody's file. */
export type Received = { path: string; size: number; digest: string };

/** What a client calls its file and wants it for; it may be wrong or silent about name and type. */
export type FileLabel = { name: string; mediaType: string; purpose: string };

const partial = ".part";

/**
 * The files that clients have uploaded, on disk until they delete them. Each belongs to the key it came with: to
 * others it is not there. Bytes are never whole in memory.
 */
export class FileShelf {
  readonly #folder: string;
  readonly #store: FileStore;
  readonly #maxBytes: number;

  private constructor(folder: string, store: FileStore, maxBytes: number) {
    this.#folder = folder;
    this.#store = store;
    this.#maxBytes = maxBytes;
  }

  /** Opens the shelf and clears away what a killed process had begun to receive. The folder is made when needed. */
  static async open(folder: string, store: FileStore, maxBytes: number): Promise<FileShelf> {
    const shelf = new FileShelf(folder, store, maxBytes);
    await shelf.#clearPartial();
    return shelf;
  }

  /** The largest file that is taken, in bytes. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Why a larger one is refused. */
  tooLarge(): GatewayError {
    const megabytes = Math.floor(this.#maxBytes / 1_048_576);
    const most = megabytes > 0 ? `${megabytes} MB` : `${this.#maxBytes} bytes`;
    return new GatewayError("file_rejected", `The file is larger than ${most}, the most that is taken.`);
  }

  /** Streams bytes to disk. Throws `file_rejected` for too many and for none; leaves nothing behind if it fails. */
  async receive(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Received> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, `${randomUUID()}${partial}`);
    const file = await open(path, "wx", 0o600);
    const digest = createHash("sha256");
    let size = 0;
    try {
      for await (const chunk of bytes) {
        signal.throwIfAborted();
        size += chunk.length;
        if (size > this.#maxBytes) throw this.tooLarge();
        digest.update(chunk);
        await file.appendFile(chunk);
      }
      if (size === 0) throw new GatewayError("file_rejected", "The file is empty.");
    } catch (error) {
      await file.close();
      await this.discard({ path });
      throw isFull(error) ? full() : error;
    }
    await file.close();
    return { path, size, digest: digest.digest("hex") };
  }

  /** Removes what was received and is not to be kept. */
  async discard({ path }: Pick<Received, "path">): Promise<void> {
    await unlink(path).catch(() => {});
  }

  /** Makes what was received a file of `owner`'s. Throws `file_storage_full`; what was received is gone then. */
  async keep(owner: string, received: Received, label: FileLabel): Promise<StoredFile> {
    const id = `file-${randomUUID().replaceAll("-", "")}`;
    const { size, digest } = received;
    const { purpose } = label;
    const file: StoredFile = { id, owner, ...named(label), purpose, size, digest, createdAt: Date.now() };
    try {
      const kept = await this.#store.countFiles();
      if (kept.files >= limits.storedFiles || kept.bytes + size > limits.storedBytes) throw full();
      await rename(received.path, this.#path(id));
      await this.#store.saveFile(file);
    } catch (error) {
      await this.discard(received);
      await this.discard({ path: this.#path(id) });
      throw error;
    }
    return file;
  }

  /** A file of this owner's. Throws `not_found`. */
  async get(owner: string, id: string): Promise<StoredFile> {
    const file = isId(id) ? await this.#store.file(owner, id) : undefined;
    if (file) return file;
    throw new GatewayError(
      "not_found",
      "There is no file with this id for this key. GET /v1/files lists yours.",
    );
  }

  /** The owner's files in the order of their making; `more` says that there are others behind them. */
  async list(
    owner: string,
    selection: FileSelection,
  ): Promise<{ files: readonly StoredFile[]; more: boolean }> {
    const { limit } = selection;
    const found = await this.#store.files(owner, { ...selection, limit: limit + 1 });
    return { files: found.slice(0, limit), more: found.length > limit };
  }

  /** A file's bytes. Throws `not_found` where they are gone from the disk. */
  read({ id }: Pick<StoredFile, "id">): AsyncGenerator<Uint8Array> {
    return bytesOf(this.#path(id));
  }

  /** The bytes of what was received. */
  readReceived({ path }: Pick<Received, "path">): AsyncGenerator<Uint8Array> {
    return bytesOf(path);
  }

  /** Deletes a file of this owner's. Throws `not_found`. */
  async remove(owner: string, id: string): Promise<void> {
    const file = await this.get(owner, id);
    await this.#store.removeFile(owner, file.id);
    await this.discard({ path: this.#path(file.id) });
  }

  #path(id: string): string {
    return join(this.#folder, id);
  }

  /** Another process may be receiving right now: only what is too old for that goes. */
  async #clearPartial(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    const before = Date.now() - limits.requestReceive;
    for (const name of names.filter((each) => each.endsWith(partial))) {
      const path = join(this.#folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      if (mtimeMs < before) await this.discard({ path });
    }
  }
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk;
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    throw new GatewayError(
      "not_found",
      "The bytes of this file are gone from this machine. Upload it again.",
    );
  }
}

/** Ids are ours and part of a path. */
function isId(id: string): boolean {
  return /^file-[0-9a-f]{32}$/.test(id);
}

/** A name without what has no place in one, and a type that at least fits the name. */
function named({ name, mediaType }: FileLabel): { name: string; mediaType: string } {
  const safe = safeName(name) || "file";
  const type = mediaTypeOf(mediaType, safe);
  return { name: withExtension(safe, type), mediaType: type };
}

function isFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

function full(): GatewayError {
  return new GatewayError(
    "file_storage_full",
    "There is no room for more files here. Delete some with DELETE /v1/files/{id}.",
  );
}
