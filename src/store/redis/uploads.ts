import { Type } from "@sinclair/typebox";
import { limits } from "../../core/limits.js";
import type { UploadStore } from "../../core/store.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { parseJson, parseOptionalText } from "./reply.js";

const Upload = Type.Tuple([Type.String(), Type.Number()]);

/** Files that were uploaded to an upstream: a key for each scope and digest, which expires. */
export class RedisUploads implements UploadStore {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async findUploadedFile(scope: string, digest: string, since: number): Promise<string | undefined> {
    const reply = await this.#connection.send("GET", keyOf(scope, digest));
    return this.#connection.parse((text) => {
      const stored = parseOptionalText(text);
      if (stored === undefined) return undefined;
      const [id, uploadedAt] = parseJson(Upload, stored);
      return uploadedAt > Math.round(since) ? id : undefined;
    }, reply);
  }

  async saveUploadedFile(scope: string, digest: string, id: string, now: number): Promise<void> {
    const upload = JSON.stringify([id, Math.round(now)]);
    await this.#connection.send("SET", keyOf(scope, digest), upload, "PX", String(limits.uploadReuse));
  }
}

function keyOf(scope: string, digest: string): string {
  return redisKey("upload", encodeURIComponent(scope), digest);
}
