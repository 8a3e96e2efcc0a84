import { Readable } from "node:stream";
import type { Dispatcher, Pool } from "undici";
import { ChatError } from "../../chat/errors.js";
import type { FileContent } from "../../chat/types.js";
import { limits } from "../../config/limits.js";
import { type JsonObject, parseObject } from "../../json.js";
import type { Drift } from "../../observability/drift.js";
import type { Recorder } from "../../observability/recording/recorder.js";
import { version } from "../../version.js";
import { notEvents, notJson } from "../meanings.js";
import { type Host, host, ResponseStream, readAll, request, retryAfter, shortCall } from "../transport.js";
import { failureToError } from "./errors.js";

export type ClientOptions = {
  /** The site, e.g. `https://kimi.moonshot.cn`. */
  baseUrl: string;
  userAgent?: string;
  /** Milliseconds of silence after which an answer is given up. */
  silence: number;
};

/** Kimi's REST calls and event streams over HTTP (kimi-web.md §1). Throws ChatError and nothing else. */
export class LegacyClient {
  readonly #pool: Pool.Options;
  readonly #site: Host;
  readonly #origin: string;
  readonly #drift: Drift;
  readonly #userAgent: string;
  readonly #recorder: Recorder | undefined;

  constructor({ baseUrl, userAgent, silence }: ClientOptions, drift: Drift, recorder?: Recorder) {
    this.#pool = {
      connect: { timeout: limits.connect },
      headersTimeout: limits.upstreamHeaders,
      bodyTimeout: silence,
    };
    this.#site = host("Kimi", baseUrl, this.#pool, recorder);
    this.#origin = new URL(baseUrl).origin;
    this.#drift = drift;
    this.#recorder = recorder;
    this.#userAgent = userAgent ?? `Moonbridge/${version}`;
  }

  get(path: string, token: string, signal: AbortSignal): Promise<JsonObject> {
    return this.#short({ method: "GET", path, headers: this.#headers(token), signal });
  }

  post(path: string, body: JsonObject, token: string, signal: AbortSignal): Promise<JsonObject> {
    return this.#short({ method: "POST", path, ...this.#json(body, token), signal });
  }

  /** The answer to it says nothing, not even in JSON (kimi-web.md §1.3). */
  async delete(path: string, token: string, signal: AbortSignal): Promise<void> {
    const headers = this.#headers(token);
    const response = await request(this.#site, { method: "DELETE", path, headers, signal, ...shortCall });
    const body = await readAll(this.#site, response.body);
    if (response.statusCode >= 300) throw this.#failure(response, parseObject(body));
  }

  /** Opens a stream of events; the caller must close it. A refusal comes as JSON, with any status (kimi-web.md §1.6). */
  async stream(path: string, body: JsonObject, token: string, signal: AbortSignal): Promise<ResponseStream> {
    const response = await request(this.#site, { method: "POST", path, ...this.#json(body, token), signal });
    const type = String(response.headers["content-type"] ?? "");
    if (response.statusCode === 200 && type.startsWith("text/event-stream"))
      return new ResponseStream(this.#site, response.body);
    await this.#read(response);
    throw notEvents(type);
  }

  /** Sends a file to the address that Kimi has signed for it, which is another host's and gets no token. */
  async put(url: string, { mediaType, size, read }: FileContent, signal: AbortSignal): Promise<void> {
    const { origin, pathname, search } = this.#storageAddress(url);
    const storage = host("Kimi's file storage", origin, this.#pool, this.#recorder);
    try {
      const headers = {
        "user-agent": this.#userAgent,
        "content-type": mediaType,
        "content-length": String(size),
      };
      const body = Readable.from(read(), { objectMode: false });
      const path = pathname + search;
      const response = await request(storage, { method: "PUT", path, headers, body, signal });
      await readAll(storage, response.body);
      if (response.statusCode < 300) return;
      throw new ChatError("upstream_unavailable", "Kimi's file storage did not take the file. Try again.", {
        upstreamCode: `http_${response.statusCode}`,
      });
    } finally {
      await storage.pool.destroy();
    }
  }

  async close(): Promise<void> {
    await this.#site.pool.destroy();
  }

  /** Where Kimi itself is spoken to in secret, so is its storage. */
  #storageAddress(url: string): URL {
    const address = URL.canParse(url) ? new URL(url) : undefined;
    const allowed = this.#origin.startsWith("https:") ? /^https:$/ : /^https?:$/;
    if (address && allowed.test(address.protocol)) return address;
    throw new ChatError("upstream_protocol", "Kimi gave no address that a file can be sent to.");
  }

  #headers(token: string): Record<string, string> {
    return {
      "user-agent": this.#userAgent,
      authorization: `Bearer ${token}`,
      // Every client of this protocol names the site it comes from (kimi-web.md §1.1).
      origin: this.#origin,
      referer: `${this.#origin}/`,
      "accept-encoding": "identity",
    };
  }

  #json(body: JsonObject, token: string) {
    const headers = { ...this.#headers(token), "content-type": "application/json" };
    return { headers, body: JSON.stringify(body) };
  }

  async #short(options: Dispatcher.RequestOptions): Promise<JsonObject> {
    return this.#read(await request(this.#site, { ...options, ...shortCall }));
  }

  /** The body of a short call. Anything but a JSON object without an error in it is one. */
  async #read(response: Dispatcher.ResponseData): Promise<JsonObject> {
    const body = parseObject(await readAll(this.#site, response.body));
    if (response.statusCode !== 200 || body?.error_type !== undefined) throw this.#failure(response, body);
    if (!body) throw notJson(response.headers["content-type"]);
    return body;
  }

  #failure({ statusCode, headers }: Dispatcher.ResponseData, body: JsonObject | undefined): ChatError {
    const answer = { status: statusCode, retryAfterSeconds: retryAfter(headers["retry-after"]) };
    return failureToError(body ?? {}, this.#drift, answer);
  }
}
