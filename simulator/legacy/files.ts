import { createHash } from "node:crypto";
import { Refusal } from "../errors.js";
import { xid } from "../ids.js";
import { type JsonObject, list, text } from "../json.js";
import type { Person } from "../tokens.js";

type File = {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly image: boolean;
  readonly signature: string;
  /** Undefined until its bytes have come. */
  size: number | undefined;
  polls: number;
  read: boolean;
};

const mostFiles = 50_000;
const largest = 104_857_600;

/** Uploaded files: what is known about them, not what was in them (kimi-web.md §1.7). */
export class LegacyFiles {
  readonly #byObject = new Map<string, File>();
  readonly #byId = new Map<string, File>();

  /** A place for a file's bytes. Only for a picture is its id told already. */
  presign(body: JsonObject, person: Person, site: string): JsonObject {
    const name = text(body.name);
    if (!name || (body.action !== "file" && body.action !== "image"))
      throw invalid("action or name is missing");
    const image = body.action === "image";
    const file = { id: xid(), owner: person.id, name, image, signature: xid(), polls: 0, read: false };
    const objectName = `prod-chat-kimi/${file.id}/${encodeURIComponent(name)}`;
    this.#keep(objectName, { ...file, size: undefined });
    const url = `${site}/${objectName}?X-Amz-Signature=${file.signature}`;
    return { url, object_name: objectName, file_id: image ? file.id : "" };
  }

  /** Takes the bytes in, and says what they were; undefined where the address was not given out so. */
  async put(url: URL, bytes: AsyncIterable<Buffer>): Promise<JsonObject | undefined> {
    const file = this.#byObject.get(url.pathname.slice(1));
    if (!file || url.searchParams.get("X-Amz-Signature") !== file.signature) return undefined;
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of bytes) {
      hash.update(chunk);
      size += chunk.length;
      if (size > largest) return undefined;
    }
    file.size = size;
    return { name: file.name, size, checksum: hash.digest("hex") };
  }

  /** The file of an object. A name with "slow" is not there yet at the first look; pictures need no reading. */
  describe(body: JsonObject, person: Person): JsonObject {
    const file = this.#byObject.get(text(body.object_name) ?? "") ?? this.#byId.get(text(body.file_id) ?? "");
    if (file?.owner !== person.id || file.size === undefined) throw gone();
    file.polls += 1;
    file.read ||= file.image;
    return { id: file.id, name: file.name, size: file.size, status: statusOf(file) };
  }

  /** The statuses while a file is read; names with "unparsable" fail. */
  parse(body: JsonObject, person: Person): string[] {
    const [id, ...others] = list(body.ids).map((each) => text(each) ?? "");
    const file = this.#byId.get(id ?? "");
    if (others.length > 0 || file?.owner !== person.id) throw gone();
    file.read = !file.name.includes("unparsable");
    return ["parsing", file.read ? "parsed" : "failed"];
  }

  /** Throws the refusal of a file that no message can have. */
  expectReadable(id: string, person: Person): void {
    const file = this.#byId.get(id);
    if (file?.owner !== person.id || !file.read) throw gone();
  }

  #keep(objectName: string, file: File): void {
    this.#byObject.set(objectName, file);
    this.#byId.set(file.id, file);
    for (const files of [this.#byObject, this.#byId]) {
      const oldest = files.keys().next();
      if (files.size > mostFiles && !oldest.done) files.delete(oldest.value);
    }
  }
}

function statusOf({ name, polls, read }: File): string {
  if (read) return "parsed";
  return name.includes("slow") && polls === 1 ? "uploading" : "initialized";
}

function gone(): Refusal {
  return new Refusal({ code: "not_found", reason: "file.not_found" }, "file not found");
}

function invalid(message: string): Refusal {
  return new Refusal({ code: "invalid_argument", reason: "file.invalid_argument" }, message);
}
