import { createHash } from "node:crypto";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { UploadStore } from "../core/store.js";
import type { FileContent, MediaPart, Upstream } from "../core/types.js";
import { hash } from "../lib/hash.js";
import type { LinkFetcher } from "./link-fetcher.js";
import type { FileShelf } from "./local-file-store.js";
import { mediaTypeOf, withExtension } from "./media-type.js";

/** A file that is at hand, named by what is in it; `done` lets go of it. */
type Content = FileContent & { digest: string; done(): Promise<void> };

/** Where files come from that are not in the request itself. */
export type FileSources = {
  shelf: FileShelf;
  /** Opens a link, safely. */
  links: LinkFetcher;
};

/** Brings the pictures and files of messages to an upstream, the same bytes once for each account. */
export class Uploads {
  readonly #store: UploadStore;
  readonly #sources: FileSources;

  constructor(store: UploadStore, sources: FileSources) {
    this.#store = store;
    this.#sources = sources;
  }

  /**
   * The part with the upstream's own id of the file in place of its bytes. `owner` is the key whose files it may
   * name. Throws `invalid_request`, `file_rejected` or what is wrong with a link, naming the part, and whatever the
   * upstream says of it.
   */
  async place(part: MediaPart, upstream: Upstream, owner: string, signal: AbortSignal): Promise<MediaPart> {
    if (!upstream.upload) throw refused(part, `${upstream.name} takes no files`);
    let content: Content | undefined;
    try {
      content = await this.#open(part, owner, signal);
      const scope = hash(upstream.name, upstream.accountId());
      const since = Date.now() - limits.uploadRemembered;
      const known = await this.#store.uploadedFile(scope, content.digest, since);
      if (known) return { ...part, source: { kind: "file-id", id: known } };
      const id = await upstream.upload(content, signal);
      await this.#store.saveUploadedFile(scope, content.digest, id, Date.now());
      return { ...part, source: { kind: "file-id", id } };
    } catch (error) {
      throw about(part, error);
    } finally {
      await content?.done();
    }
  }

  #open(part: MediaPart, owner: string, signal: AbortSignal): Promise<Content> {
    const { source } = part;
    switch (source.kind) {
      case "bytes":
        return this.#decode(part, source.base64);
      case "link":
        return this.#fetch(part, source.url, signal);
      case "file-id":
        return this.#shelved(part, owner, source.id);
    }
  }

  async #decode(part: MediaPart, base64: string): Promise<Content> {
    const bytes = Buffer.from(base64, "base64");
    if (bytes.length === 0) throw refused(part, "it is empty, or not base64");
    if (bytes.length > this.#sources.shelf.maxBytes) throw this.#sources.shelf.tooLarge();
    return {
      ...described(part),
      size: bytes.length,
      digest: createHash("sha256").update(bytes).digest("hex"),
      read: async function* () {
        yield bytes;
      },
      done: async () => {},
    };
  }

  /** The bytes of a link wait on disk while its digest decides whether they must be sent at all. */
  async #fetch(part: MediaPart, url: string, signal: AbortSignal): Promise<Content> {
    const { shelf, links } = this.#sources;
    const link = await links.open(url, signal);
    const received = await shelf.receive(link.body, signal);
    return {
      ...described({ ...part, name: part.name ?? link.name, mediaType: link.mediaType }),
      size: received.size,
      digest: received.digest,
      read: () => shelf.readReceived(received),
      done: () => shelf.discard(received),
    };
  }

  async #shelved(part: MediaPart, owner: string, id: string): Promise<Content> {
    const { shelf } = this.#sources;
    const { name, mediaType, size, digest } = await shelf.get(owner, id).catch((error: unknown) => {
      if (error instanceof GatewayError && error.code === "not_found")
        throw refused(part, "there is no uploaded file with this id");
      throw error;
    });
    return {
      ...described({ ...part, name: part.name ?? name, mediaType }),
      size,
      digest,
      read: () => shelf.read({ id }),
      done: async () => {},
    };
  }
}

/** What the part is called and is: a type that fits its name, a name that fits its type. */
function described({ type, name, mediaType }: Pick<MediaPart, "type" | "name" | "mediaType">) {
  const kind = mediaTypeOf(mediaType, name ?? (type === "image" ? "image.png" : ""));
  return { name: name ?? withExtension(type, kind), mediaType: kind };
}

function refused(part: MediaPart, why: string): GatewayError {
  const what = part.type === "image" ? "picture" : "file";
  return new GatewayError("invalid_request", `${part.path}: this ${what} cannot be sent: ${why}.`, {
    param: part.path,
  });
}

/** Failures that are about this one file; they are told by its place in the request. */
const aboutFile = new Set<string>(["file_rejected", "link_forbidden", "link_unreachable"]);

/** A failure of the file itself names its place in the request; others are not its fault. */
function about(part: MediaPart, error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.param !== undefined || !aboutFile.has(error.code))
    return error;
  return new GatewayError(error.code, `${part.path}: ${error.message}`, { param: part.path, cause: error });
}
