import { createHash } from "node:crypto";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { UploadStore } from "../core/store.js";
import type { FileContent, MediaPart, Upstream } from "../core/types.js";
import { hash } from "../lib/hash.js";
import { textChunks } from "../lib/text-chunks.js";
import { TimeSlicer } from "../lib/time-slicing.js";
import type { LocalFileStore } from "./local-file-store.js";
import { detectMediaType, withExtension } from "./media-type.js";
import type { RequestLinks } from "./request-links.js";
import { isWebPage } from "./web-page.js";

/** File content ready to be uploaded, with its SHA-256 in hex; `release` deletes temporary data. */
type OpenContent = FileContent & { digest: string; release(): Promise<void> };

/** Where the files of one request go. */
export type UploadTarget = {
  upstream: Upstream;
  /** The API key whose stored files the request may refer to. */
  owner: string;
  links: RequestLinks;
  /** Uploads one file in its turn and resolves to its id at the upstream. */
  upload(content: FileContent & { digest: string }, signal: AbortSignal): Promise<string>;
};

/** Uploads the pictures and files of messages to an upstream; the same bytes only once per account. */
export class Uploads {
  readonly #store: UploadStore;
  readonly #localFiles: LocalFileStore;

  constructor(store: UploadStore, localFiles: LocalFileStore) {
    this.#store = store;
    this.#localFiles = localFiles;
  }

  /**
   * Returns the part with the upstream's file id as its source, uploading the file if needed. Throws `invalid_request`,
   * `file_rejected`, `link_forbidden`, `link_unreachable` or `rate_limited` with the part's path, and the upstream's
   * errors.
   */
  async attach(part: MediaPart, target: UploadTarget, signal: AbortSignal): Promise<MediaPart> {
    if (!target.upstream.upload) throw attachmentError(part, `${target.upstream.name} takes no files`);
    let content: OpenContent | undefined;
    try {
      content = await this.#open(part, target, signal);
      return { ...part, source: { kind: "file-id", id: await this.#upload(content, target, signal) } };
    } catch (error) {
      throw withPartPath(part, error);
    } finally {
      await content?.release();
    }
  }

  /**
   * Uploads a text that was written from the request, in pieces, as a file of this name. The same text is uploaded only
   * once for each API key: what one key said is not looked up for another. Throws `file_rejected`, and the upstream's errors.
   */
  async attachText(
    name: string,
    pieces: readonly string[],
    target: UploadTarget,
    signal: AbortSignal,
  ): Promise<MediaPart> {
    const part = { type: "file", name, mediaType: "text/plain", path: "messages" } as const;
    try {
      const { chunks, size, digest } = await encodeText(pieces, target.owner, signal);
      if (size > this.#localFiles.maxBytes) throw this.#localFiles.tooLargeError();
      const read = async function* () {
        yield* chunks;
      };
      const id = await this.#upload({ name, mediaType: part.mediaType, size, digest, read }, target, signal);
      return { ...part, source: { kind: "file-id", id } };
    } catch (error) {
      throw withPartPath(part, error);
    }
  }

  /** Resolves to the upstream's id of the file, which may have been uploaded before. */
  async #upload(
    content: FileContent & { digest: string },
    { upstream, upload }: UploadTarget,
    signal: AbortSignal,
  ): Promise<string> {
    const scope = hash(upstream.name, upstream.accountId());
    const since = Date.now() - limits.uploadReuse;
    const uploadedId = await this.#store.findUploadedFile(scope, content.digest, since);
    if (uploadedId) return uploadedId;
    const id = await upload(content, signal);
    await this.#store.saveUploadedFile(scope, content.digest, id, Date.now());
    return id;
  }

  #open(part: MediaPart, { owner, links }: UploadTarget, signal: AbortSignal): Promise<OpenContent> {
    const { source } = part;
    switch (source.kind) {
      case "bytes":
        return this.#openBytes(part, source.base64);
      case "link":
        return this.#openLink(part, source.url, links, signal);
      case "file-id":
        return this.#openStoredFile(part, owner, source.id);
    }
  }

  async #openBytes(part: MediaPart, base64: string): Promise<OpenContent> {
    const bytes = Buffer.from(base64, "base64");
    if (bytes.length === 0) throw attachmentError(part, "it is empty, or not base64");
    if (bytes.length > this.#localFiles.maxBytes) throw this.#localFiles.tooLargeError();
    if (part.type === "image" && isWebPage(part.mediaType ?? "", bytes))
      throw attachmentError(part, "it is a web page");
    return {
      ...resolveNameAndType(part),
      size: bytes.length,
      digest: createHash("sha256").update(bytes).digest("hex"),
      read: async function* () {
        yield bytes;
      },
      release: async () => {},
    };
  }

  /** Downloads to disk first: the digest decides whether the file has to be uploaded. */
  async #openLink(
    part: MediaPart,
    url: string,
    links: RequestLinks,
    signal: AbortSignal,
  ): Promise<OpenContent> {
    const slot = await links.acquireSlot(signal);
    try {
      const link = await (part.type === "image" ? links.openPicture(url, signal) : links.open(url, signal));
      const received = await this.#localFiles.receive(link.body, signal).finally(link.close);
      return {
        ...resolveNameAndType({ ...part, name: part.name ?? link.name, mediaType: link.mediaType }),
        size: received.size,
        digest: received.digest,
        read: () => this.#localFiles.readReceived(received),
        release: () => this.#localFiles.discard(received).finally(slot.release),
      };
    } catch (error) {
      slot.release();
      throw error;
    }
  }

  async #openStoredFile(part: MediaPart, owner: string, id: string): Promise<OpenContent> {
    const localFiles = this.#localFiles;
    const { name, mediaType, size, digest } = await localFiles.get(owner, id).catch((error: unknown) => {
      if (error instanceof GatewayError && error.code === "not_found")
        throw attachmentError(part, "there is no uploaded file with this id");
      throw error;
    });
    return {
      ...resolveNameAndType({ ...part, name: part.name ?? name, mediaType }),
      size,
      digest,
      read: () => localFiles.read({ id, size }),
      release: async () => {},
    };
  }
}

/** Characters that are encoded and hashed in one step: about a millisecond of work. */
const encodedLength = 262_144;

/** The pieces as UTF-8, and their SHA-256 in hex together with the owner. */
async function encodeText(pieces: readonly string[], owner: string, signal: AbortSignal) {
  const digest = createHash("sha256").update(`${owner}\0`);
  const slicer = new TimeSlicer();
  const chunks: Buffer[] = [];
  let size = 0;
  for (const text of mergeShort(pieces)) {
    for (const chunk of textChunks(text, encodedLength)) {
      const bytes = Buffer.from(chunk);
      digest.update(bytes);
      chunks.push(bytes);
      size += bytes.length;
      await slicer.yieldIfDue();
      signal.throwIfAborted();
    }
  }
  return { chunks, size, digest: digest.digest("hex") };
}

/** The pieces, short ones joined. */
function* mergeShort(pieces: readonly string[]): Generator<string> {
  let merged = "";
  for (const piece of pieces) {
    if (merged.length + piece.length > encodedLength) {
      yield merged;
      merged = "";
    }
    merged += piece;
  }
  yield merged;
}

/** Name and media type of a part, each derived from the other where it is missing. */
function resolveNameAndType({ type, name, mediaType }: Pick<MediaPart, "type" | "name" | "mediaType">) {
  const resolvedType = detectMediaType(mediaType, name ?? (type === "image" ? "image.png" : ""));
  return { name: name ?? withExtension(type, resolvedType), mediaType: resolvedType };
}

function attachmentError(part: MediaPart, reason: string): GatewayError {
  const noun = part.type === "image" ? "picture" : "file";
  return new GatewayError("invalid_request", `${part.path}: this ${noun} cannot be sent: ${reason}.`, {
    param: part.path,
  });
}

/** Errors about a single file: its path in the request is added to them. */
const fileErrorCodes = new Set<string>(["file_rejected", "link_forbidden", "link_unreachable", "not_found"]);

function withPartPath(part: Pick<MediaPart, "path">, error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.param !== undefined || !fileErrorCodes.has(error.code))
    return error;
  // The chat is there, only the file is not.
  const code = error.code === "not_found" ? "invalid_request" : error.code;
  return new GatewayError(code, `${part.path}: ${error.message}`, { param: part.path, cause: error });
}
