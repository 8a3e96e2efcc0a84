import { createHash } from "node:crypto";
import { ApiError } from "../errors.js";
import { legacyId } from "../ids.js";
import { asArray, asString, type JsonObject } from "../json.js";
import { FileTexts, isText, TextContent } from "../text-content.js";
import type { Account } from "../tokens.js";

type LegacyFile = {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly isImage: boolean;
  readonly signature: string;
  /** Undefined until the bytes are uploaded. */
  size: number | undefined;
  polls: number;
  isParsed: boolean;
};

const maxFiles = 50_000;
const maxFileBytes = 104_857_600;

/** Metadata of uploaded files; the content is kept of text files alone (kimi-web.md §1.7). */
export class LegacyFiles {
  readonly #byObjectName = new Map<string, LegacyFile>();
  readonly #byId = new Map<string, LegacyFile>();
  readonly texts = new FileTexts();

  /** The response to `pre-sign-url`: a signed upload URL; with the file id only for images. */
  presign(body: JsonObject, account: Account, siteUrl: string): JsonObject {
    const name = asString(body.name);
    if (!name || (body.action !== "file" && body.action !== "image"))
      throw invalidArgument("action or name is missing");
    const isImage = body.action === "image";
    const file = {
      id: legacyId(),
      owner: account.id,
      name,
      isImage,
      signature: legacyId(),
      polls: 0,
      isParsed: false,
    };
    const objectName = `prod-chat-kimi/${file.id}/${encodeURIComponent(name)}`;
    this.#add(objectName, { ...file, size: undefined });
    const url = `${siteUrl}/${objectName}?X-Amz-Signature=${file.signature}`;
    return { url, object_name: objectName, file_id: isImage ? file.id : "" };
  }

  /** Reads an upload and returns its name, size and checksum; undefined for an unknown URL or signature, or too many bytes. */
  async receive(
    url: URL,
    bytes: AsyncIterable<Buffer>,
    contentType: string,
  ): Promise<JsonObject | undefined> {
    const file = this.#byObjectName.get(url.pathname.slice(1));
    if (!file || url.searchParams.get("X-Amz-Signature") !== file.signature) return undefined;
    const hash = createHash("sha256");
    const text = new TextContent();
    let size = 0;
    for await (const chunk of bytes) {
      hash.update(chunk);
      if (isText(contentType)) text.push(chunk);
      size += chunk.length;
      if (size > maxFileBytes) return undefined;
    }
    file.size = size;
    this.texts.set(file.id, text.value);
    return { name: file.name, size, checksum: hash.digest("hex") };
  }

  /**
   * The response to `file`: the status of a file, by its object name or id. A file with "slow" in its name is `uploading` at
   * the first poll; an image is `parsed` at once, any other file `initialized` until it is parsed.
   */
  describe(body: JsonObject, account: Account): JsonObject {
    const file =
      this.#byObjectName.get(asString(body.object_name) ?? "") ??
      this.#byId.get(asString(body.file_id) ?? "");
    if (file?.owner !== account.id || file.size === undefined) throw fileNotFound();
    file.polls += 1;
    file.isParsed ||= file.isImage;
    return { id: file.id, name: file.name, size: file.size, status: statusOf(file) };
  }

  /** Parses a file and returns its statuses in order; parsing fails for a file with "unparsable" in its name. */
  parse(body: JsonObject, account: Account): string[] {
    const [id, ...others] = asArray(body.ids).map((id) => asString(id) ?? "");
    const file = this.#byId.get(id ?? "");
    if (others.length > 0 || file?.owner !== account.id) throw fileNotFound();
    file.isParsed = !file.name.includes("unparsable");
    return ["parsing", file.isParsed ? "parsed" : "failed"];
  }

  /** Throws ApiError unless the file belongs to the account and is parsed. */
  requireParsed(id: string, account: Account): void {
    const file = this.#byId.get(id);
    if (file?.owner !== account.id || !file.isParsed) throw fileNotFound();
  }

  #add(objectName: string, file: LegacyFile): void {
    this.#byObjectName.set(objectName, file);
    this.#byId.set(file.id, file);
    for (const files of [this.#byObjectName, this.#byId]) {
      const oldest = files.keys().next();
      if (files.size > maxFiles && !oldest.done) files.delete(oldest.value);
    }
  }
}

function statusOf({ name, polls, isParsed }: LegacyFile): string {
  if (isParsed) return "parsed";
  return name.includes("slow") && polls === 1 ? "uploading" : "initialized";
}

function fileNotFound(): ApiError {
  return new ApiError({ code: "not_found", reason: "file.not_found" }, "file not found");
}

function invalidArgument(message: string): ApiError {
  return new ApiError({ code: "invalid_argument", reason: "file.invalid_argument" }, message);
}
