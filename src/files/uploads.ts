import { ChatError } from "../chat/errors.js";
import type { MediaPart, Upstream } from "../chat/types.js";
import { limits } from "../config/limits.js";
import { hash } from "../hash.js";
import type { UploadStore } from "../store/store.js";

/** Brings the pictures and files of messages to an upstream, the same bytes once for each account. */
export class Uploads {
  readonly #store: UploadStore;

  constructor(store: UploadStore) {
    this.#store = store;
  }

  /**
   * The part with the upstream's own id of the file in place of its bytes. Throws `invalid_request` or
   * `file_rejected`, and whatever the upstream says of it.
   */
  async place(part: MediaPart, upstream: Upstream, signal: AbortSignal): Promise<MediaPart> {
    if (!upstream.upload) throw refused(part, `${upstream.name} takes no files`);
    if (part.source.kind === "link") {
      throw refused(part, "links are not fetched yet; send the file itself as a data URL");
    }
    if (part.source.kind === "file-id") throw refused(part, "there is no uploaded file with this id");
    const { base64 } = part.source;
    const scope = hash(upstream.name, upstream.account());
    const digest = hash(part.name ?? "", base64);
    const known = await this.#store.uploadedFile(scope, digest, Date.now() - limits.uploadRemembered);
    if (known) return { ...part, source: { kind: "file-id", id: known } };
    const file = { ...describe(part), bytes: decode(part, base64) };
    const id = await upstream.upload(file, signal).catch((error: unknown) => {
      throw rejectionOf(part, error);
    });
    await this.#store.saveUploadedFile(scope, digest, id, Date.now());
    return { ...part, source: { kind: "file-id", id } };
  }
}

function describe({ type, name, mediaType }: MediaPart): { name: string; mediaType: string } {
  const kind = mediaType ?? (type === "image" ? "image/png" : "application/octet-stream");
  const extension = /^[\w.+-]+\/(?:x-)?([\w-]+)/.exec(kind)?.[1] ?? "bin";
  return { name: name ?? `${type}.${extension}`, mediaType: kind };
}

function decode(part: MediaPart, base64: string): Buffer {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length === 0) throw refused(part, "it is empty, or not base64");
  return bytes;
}

function refused(part: MediaPart, why: string): ChatError {
  const what = part.type === "image" ? "picture" : "file";
  return new ChatError("invalid_request", `${part.at}: this ${what} cannot be sent: ${why}.`, {
    param: part.at,
  });
}

/** A file that the upstream rejects is named by its place in the request; other failures are not its fault. */
function rejectionOf(part: MediaPart, error: unknown): unknown {
  if (!(error instanceof ChatError) || error.code !== "file_rejected") return error;
  return new ChatError("file_rejected", `${part.at}: ${error.message}`, { param: part.at, cause: error });
}
