import { Refusal } from "./errors.js";
import { blockTime, type IdMint } from "./ids.js";
import { field, type JsonObject, list, text } from "./json.js";
import type { Digest } from "./multipart.js";
import type { Person } from "./tokens.js";

type File = { owner: string; meta: JsonObject; fails: boolean; polls: number };

const mostFiles = 50_000;

/** Uploaded files: what is known about them, not what was in them (kimi-web.md §2.8). */
export class Files {
  readonly #ids: IdMint;
  readonly #files = new Map<string, File>();

  constructor(ids: IdMint) {
    this.#ids = ids;
  }

  /** Takes a file in; the answer to the upload (kimi-web.md §5.8). */
  add(digest: Digest, person: Person, site: string): JsonObject {
    const id = this.#ids.next("file");
    const { name, contentType, size, checksum } = digest;
    const image = contentType.startsWith("image/");
    const meta = {
      name,
      contentType,
      sizeBytes: String(size),
      checksum,
      ext: /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? "",
      createTime: blockTime(),
      type: image ? "FILE_TYPE_IMAGE" : "FILE_TYPE_DOCUMENT",
    };
    this.#files.set(id, { owner: person.id, meta, fails: name.includes("unparsable"), polls: 0 });
    const oldest = this.#files.keys().next();
    if (this.#files.size > mostFiles && !oldest.done) this.#files.delete(oldest.value);

    const signed = `${site}/apiv2-files/sign-obj/kimi-fs%2Ffiles%2Fblob%2F${checksum}?filename=${encodeURIComponent(name)}&sig=simulated`;
    const thumbnail = {
      thumbnailUrl: `${signed}&t=t`,
      previewUrl: `${signed}&t=p`,
      mobileThumbnailUrl: `${signed}&t=m`,
    };
    const blob = { signUrl: `${signed}&t=o`, previewUrl: "" };
    return { file: { id, meta, blob, ...(image ? { parseResult: { thumbnail } } : {}) } };
  }

  /** PROCESSING at the first look, or always for names with "endless"; then SUCCESS, or FAILED for "unparsable" (kimi-web.md §2.8). */
  progress(body: JsonObject, person: Person): JsonObject {
    const progresses = list(field(body, "file_ids")).map((id) => {
      const file = this.#get(text(id) ?? "", person);
      file.polls += 1;
      const endless = text(file.meta.name)?.includes("endless");
      return {
        fileId: id,
        status: file.polls === 1 || endless ? "PROCESS_STATUS_PROCESSING" : outcome(file),
      };
    });
    return { progresses };
  }

  /** A file as a message shows it (kimi-web.md §5.8). */
  describe(id: string, person: Person): JsonObject {
    const file = this.#get(id, person);
    return { id, meta: file.meta, status: outcome(file) };
  }

  #get(id: string, person: Person): File {
    const file = this.#files.get(id);
    if (!file || file.owner !== person.id) throw new Refusal({ code: "not_found" }, "file not found");
    return file;
  }
}

function outcome(file: File): string {
  return file.fails ? "PROCESS_STATUS_FAILED" : "PROCESS_STATUS_SUCCESS";
}
