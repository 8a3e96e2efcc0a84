import { ApiError } from "./errors.js";
import { blockTime, type IdGenerator } from "./ids.js";
import { asArray, asString, getField, type JsonObject } from "./json.js";
import { FileTexts } from "./text-content.js";
import type { Account } from "./tokens.js";
import type { Upload } from "./upload-form.js";

type UploadedFile = {
  owner: string;
  meta: JsonObject;
  blob: JsonObject;
  /** The thumbnail of an image; empty for a document. */
  preview: { parseResult?: JsonObject };
  polls: number;
};

const maxFiles = 50_000;

/** Metadata of uploaded files; the content is kept of text files alone (kimi-web.md §2.8). */
export class Files {
  readonly #ids: IdGenerator;
  readonly #files = new Map<string, UploadedFile>();
  readonly texts = new FileTexts();

  constructor(ids: IdGenerator) {
    this.#ids = ids;
  }

  /** Registers a file and returns the response to the upload (kimi-web.md §5.8). */
  add({ metadata, text }: Upload, account: Account, siteUrl: string): JsonObject {
    const id = this.#ids.next("file");
    this.texts.set(id, text);
    const { name, contentType, size, checksum } = metadata;
    const isImage = contentType.startsWith("image/");
    const meta = {
      name,
      contentType,
      sizeBytes: String(size),
      checksum,
      ext: /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? "",
      createTime: blockTime(),
      type: isImage ? "FILE_TYPE_IMAGE" : "FILE_TYPE_DOCUMENT",
    };
    const signedUrl = `${siteUrl}/apiv2-files/sign-obj/kimi-fs%2Ffiles%2Fblob%2F${checksum}?filename=${encodeURIComponent(name)}&sig=simulated`;
    const thumbnail = {
      thumbnailUrl: `${signedUrl}&t=t`,
      previewUrl: `${signedUrl}&t=p`,
      mobileThumbnailUrl: `${signedUrl}&t=m`,
    };
    const blob = { signUrl: `${signedUrl}&t=o`, previewUrl: "" };
    const preview = isImage ? { parseResult: { thumbnail } } : {};
    this.#files.set(id, { owner: account.id, meta, blob, preview, polls: 0 });
    const oldest = this.#files.keys().next();
    if (this.#files.size > maxFiles && !oldest.done) this.#files.delete(oldest.value);
    return { file: { id, meta, blob, ...preview } };
  }

  /**
   * The response to GetFileParseProgress (kimi-web.md §2.8): PROCESSING at the first poll, then SUCCESS. Parsing never ends
   * for a file with "endless" in its name, and fails for one with "unparsable".
   */
  parseProgress(body: JsonObject, account: Account): JsonObject {
    const progresses = asArray(getField(body, "file_ids")).map((id) => {
      const file = this.#get(asString(id) ?? "", account);
      file.polls += 1;
      return { fileId: id, status: parseStatus(file) };
    });
    return { progresses };
  }

  /** The response to GetFile: the upload's, with the status (kimi-web.md §6 row 16). */
  getFile(body: JsonObject, account: Account): JsonObject {
    const id = asString(getField(body, "file_id")) ?? "";
    const file = this.#get(id, account);
    return { file: { id, meta: file.meta, blob: file.blob, ...file.preview, status: parseStatus(file) } };
  }

  /**
   * The `file` of a message block (kimi-web.md §5.8). Throws `not_found` for an unknown file, and `failed_precondition` for
   * a document whose parsing was not seen to end; an image is usable at once.
   */
  describe(id: string, account: Account): JsonObject {
    const file = this.#get(id, account);
    const status = file.preview.parseResult ? "PROCESS_STATUS_SUCCESS" : parseStatus(file);
    if (status === "PROCESS_STATUS_PROCESSING")
      throw new ApiError({ code: "failed_precondition" }, "the file is not parsed yet");
    return { id, meta: file.meta, status };
  }

  /** An attached file as `chat.files` shows it, an image with its thumbnail (kimi-web.md §2.5). */
  attachment(id: string, account: Account): JsonObject {
    const { meta, preview } = this.#get(id, account);
    return { id, meta, ...preview };
  }

  #get(id: string, account: Account): UploadedFile {
    const file = this.#files.get(id);
    if (!file || file.owner !== account.id) throw new ApiError({ code: "not_found" }, "file not found");
    return file;
  }
}

function parseStatus({ meta, polls }: UploadedFile): string {
  const name = asString(meta.name) ?? "";
  if (polls < 2 || name.includes("endless")) return "PROCESS_STATUS_PROCESSING";
  return name.includes("unparsable") ? "PROCESS_STATUS_FAILED" : "PROCESS_STATUS_SUCCESS";
}
