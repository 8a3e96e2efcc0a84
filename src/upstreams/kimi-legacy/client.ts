import { Readable } from "node:stream";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { FileContent } from "../../core/types.js";
import { type JsonObject, parseObject } from "../../lib/json.js";
import { version } from "../../lib/version.js";
import type { Drift } from "../../observability/protocol-drift.js";
import type { Recorder } from "../../observability/recording/recorder.js";
import {
  type Answered,
  call,
  type Host,
  host,
  openAnswer,
  retryAfter,
  shortCall,
  type Timeouts,
} from "../http/client.js";
import { AnswerStream } from "../http/response-stream.js";
import { notEvents, notJson } from "../kimi-shared/errors.js";
import { failureToError } from "./errors.js";

export type ClientOptions = {
  /** The site, e.g. `https://kimi.moonshot.cn`. */
  baseUrl: string;
  userAgent?: string;
  /** Milliseconds of silence after which an answer is given up. */
  silence: number;
};

/** Kimi's REST calls and event streams over HTTP (kimi-web.md §1). Throws GatewayError and nothing else. */
export class LegacyClient {
  readonly #timeouts: Timeouts;
  readonly #silence: number;
  readonly #site: Host;
  readonly #origin: string;
  readonly #drift: Drift;
  readonly #userAgent: string;
  readonly #recorder: Recorder | undefined;

  constructor({ baseUrl, userAgent, silence }: ClientOptions, drift: Drift, recorder?: Recorder) {
    this.#timeouts = { headersTimeout: limits.upstreamHeaders, bodyTimeout: silence };
    this.#silence = silence;
    this.#site = host("Kimi", baseUrl, this.#timeouts, recorder);
    this.#origin = new URL(baseUrl).origin;
    this.#drift = drift;
    this.#recorder = recorder;
    this.#userAgent = userAgent ?? `Moonbridge/${version}`;
  }

  async get(path: string, token: string, signal: AbortSignal): Promise<JsonObject> {
    const headers = this.#headers(token);
    return this.#read(await call(this.#site, { method: "GET", path, headers, signal, ...shortCall }));
  }

  async post(path: string, body: JsonObject, token: string, signal: AbortSignal): Promise<JsonObject> {
    const asked = { method: "POST", path, ...this.#json(body, token), signal, ...shortCall } as const;
    return this.#read(await call(this.#site, asked));
  }

  /** The answer to it says nothing, not even in JSON (kimi-web.md §1.3). */
  async delete(path: string, token: string, signal: AbortSignal): Promise<void> {
    const headers = this.#headers(token);
    const answer = await call(this.#site, { method: "DELETE", path, headers, signal, ...shortCall });
    if (answer.status >= 300) throw this.#failure(answer, parseObject(answer.body));
  }

  /** Opens a stream of events; the caller must close it. A refusal comes as JSON, with any status (kimi-web.md §1.6). */
  async stream(path: string, body: JsonObject, token: string, signal: AbortSignal): Promise<AnswerStream> {
    const asked = {
      method: "POST",
      path,
      ...this.#json(body, token),
      signal,
      silence: this.#silence,
    } as const;
    const answer = await openAnswer(this.#site, asked, "text/event-stream");
    if (answer instanceof AnswerStream) return answer;
    this.#read(answer);
    throw notEvents(answer.headers["content-type"]);
  }

  /** Sends a file to the address that Kimi has signed for it, which is another host's and gets no token. */
  async put(url: string, { mediaType, size, read }: FileContent, signal: AbortSignal): Promise<void> {
    const { origin, pathname, search } = this.#storageAddress(url);
    const storage = host("Kimi's file storage", origin, this.#timeouts, this.#recorder);
    try {
      const headers = {
        "user-agent": this.#userAgent,
        "content-type": mediaType,
        "content-length": String(size),
      };
      const body = Readable.from(read(), { objectMode: false });
      const path = pathname + search;
      const { status } = await call(storage, { method: "PUT", path, headers, body, signal });
      if (status < 300) return;
      throw new GatewayError(
        "upstream_unavailable",
        "Kimi's file storage did not take the file. Try again.",
        {
          upstreamCode: `http_${status}`,
        },
      );
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
    throw new GatewayError("upstream_protocol", "Kimi gave no address that a file can be sent to.");
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

  /** The body of a short call. Anything but a JSON object without an error in it is one. */
  #read(answer: Answered): JsonObject {
    const body = parseObject(answer.body);
    if (answer.status !== 200 || body?.error_type !== undefined) throw this.#failure(answer, body);
    if (!body) throw notJson(answer.headers["content-type"]);
    return body;
  }

  #failure({ status, headers }: Answered, body: JsonObject | undefined): GatewayError {
    return failureToError(body ?? {}, this.#drift, {
      status,
      retryAfterSeconds: retryAfter(headers["retry-after"]),
    });
  }
}
