import { Readable } from "node:stream";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { FileContent } from "../../core/types.js";
import type { JsonObject } from "../../lib/json.js";
import { version } from "../../lib/version.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import {
  createHost,
  fetchResponse,
  type Host,
  type HostOptions,
  type HttpResponse,
  type HttpTimeouts,
  openStream,
  parseRetryAfter,
  unaryTimeouts,
} from "../http/client.js";
import { ResponseStream } from "../http/response-stream.js";
import { notEventStreamError, parseKimiAnswer } from "../kimi-shared/errors.js";
import { failureToError, hasKimiForm } from "./errors.js";

export type LegacyClientOptions = {
  /** Base URL of the site, e.g. `https://kimi.moonshot.cn`. */
  baseUrl: string;
  userAgent?: string;
  /** Milliseconds without a byte after which an answer is aborted. */
  idleTimeout: number;
};

/** HTTP client of Kimi's legacy REST and event stream API (kimi-web.md §1). Throws only GatewayError. */
export class LegacyClient {
  readonly #timeouts: HttpTimeouts;
  readonly #idleTimeout: number;
  readonly #site: Host;
  readonly #origin: string;
  readonly #drift: ProtocolDrift;
  readonly #userAgent: string;
  readonly #hosts: HostOptions;

  constructor(
    { baseUrl, userAgent, idleTimeout }: LegacyClientOptions,
    drift: ProtocolDrift,
    hosts: HostOptions = {},
  ) {
    this.#timeouts = { headersTimeout: limits.upstreamHeaders };
    this.#idleTimeout = idleTimeout;
    this.#site = createHost("Kimi", baseUrl, this.#timeouts, hosts);
    this.#origin = new URL(baseUrl).origin;
    this.#drift = drift;
    this.#hosts = hosts;
    this.#userAgent = userAgent ?? `Moonbridge/${version}`;
  }

  async get(path: string, token: string, signal: AbortSignal): Promise<JsonObject> {
    const headers = this.#headers(token);
    return this.#parseBody(
      await fetchResponse(this.#site, { method: "GET", path, headers, signal, ...unaryTimeouts }),
    );
  }

  async post(path: string, body: JsonObject, token: string, signal: AbortSignal): Promise<JsonObject> {
    const request = {
      method: "POST",
      path,
      ...this.#jsonRequest(body, token),
      signal,
      ...unaryTimeouts,
    } as const;
    return this.#parseBody(await fetchResponse(this.#site, request));
  }

  /** The response body is empty, not JSON (kimi-web.md §1.3). */
  async delete(path: string, token: string, signal: AbortSignal): Promise<void> {
    const headers = this.#headers(token);
    const response = await fetchResponse(this.#site, {
      method: "DELETE",
      path,
      headers,
      signal,
      ...unaryTimeouts,
    });
    if (response.status < 300) return;
    throw this.#toError(response, parseKimiAnswer(response, hasKimiForm));
  }

  /** Opens an event stream. The caller must close it. A refusal comes as JSON, with any status (kimi-web.md §1.6). */
  async openStream(
    path: string,
    body: JsonObject,
    token: string,
    signal: AbortSignal,
  ): Promise<ResponseStream> {
    const request = {
      method: "POST",
      path,
      ...this.#jsonRequest(body, token),
      signal,
      idleTimeout: this.#idleTimeout,
    } as const;
    const response = await openStream(this.#site, request, "text/event-stream");
    if (response instanceof ResponseStream) return response;
    this.#parseBody(response);
    throw notEventStreamError(response.headers["content-type"]);
  }

  /** Uploads a file to the URL that Kimi has signed for it. That is another host, which gets no token. */
  async put(url: string, { mediaType, size, read }: FileContent, signal: AbortSignal): Promise<void> {
    const { origin, pathname, search } = this.#parseStorageUrl(url);
    const storage = createHost("Kimi's file storage", origin, this.#timeouts, this.#hosts);
    try {
      const headers = {
        "user-agent": this.#userAgent,
        "content-type": mediaType,
        "content-length": String(size),
      };
      const body = Readable.from(read(), { objectMode: false });
      const path = pathname + search;
      const request = { method: "PUT", path, headers, body, signal, idleTimeout: this.#idleTimeout } as const;
      const { status } = await fetchResponse(storage, request);
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

  /** If Kimi's base URL is HTTPS, the storage URL must be too. */
  #parseStorageUrl(url: string): URL {
    const storageUrl = URL.canParse(url) ? new URL(url) : undefined;
    const allowedProtocols = this.#origin.startsWith("https:") ? /^https:$/ : /^https?:$/;
    if (storageUrl && allowedProtocols.test(storageUrl.protocol)) return storageUrl;
    throw new GatewayError("upstream_protocol", "Kimi gave no address that a file can be sent to.");
  }

  #headers(token: string): Record<string, string> {
    return {
      "user-agent": this.#userAgent,
      authorization: `Bearer ${token}`,
      // Every client of this protocol sends its origin (kimi-web.md §1.1).
      origin: this.#origin,
      referer: `${this.#origin}/`,
      "accept-encoding": "identity",
    };
  }

  #jsonRequest(body: JsonObject, token: string) {
    const headers = { ...this.#headers(token), "content-type": "application/json" };
    return { headers, body: JSON.stringify(body) };
  }

  /** The body of a unary call. Throws unless it is a JSON object with status 200 and no error. */
  #parseBody(response: HttpResponse): JsonObject {
    const body = parseKimiAnswer(response, hasKimiForm);
    if (response.status !== 200 || body.error_type !== undefined) throw this.#toError(response, body);
    return body;
  }

  #toError({ status, headers }: HttpResponse, body: JsonObject): GatewayError {
    return failureToError(body, this.#drift, {
      status,
      retryAfterSeconds: parseRetryAfter(headers["retry-after"]),
    });
  }
}
