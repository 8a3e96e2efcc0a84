import { Readable } from "node:stream";
import { limits } from "../../core/limits.js";
import type { FileContent } from "../../core/types.js";
import { asObject, type JsonObject } from "../../lib/json.js";
import { version } from "../../lib/version.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import {
  createHost,
  fetchResponse,
  type Host,
  type HostOptions,
  type HttpResponse,
  openStream,
  parseRetryAfter,
  unaryTimeouts,
} from "../http/client.js";
import { ResponseStream } from "../http/response-stream.js";
import { notEventStreamError, parseKimiAnswer } from "../kimi-shared/errors.js";
import { encodeEnvelope } from "./envelope.js";
import { hasKimiForm, statusToError } from "./errors.js";
import { MultipartFileForm } from "./multipart-form.js";

export type KimiClientOptions = {
  /** Base URL of the site, e.g. `https://www.kimi.com`. */
  baseUrl: string;
  /** Base URL of the account gateway, e.g. `https://auth.kimi.com`. */
  authUrl: string;
  userAgent?: string;
  /** `x-msh-version`, the version of the site's client that requests name. Default: `defaultSiteVersion`. */
  siteVersion?: string;
  /** Milliseconds without a byte after which an answer is aborted. */
  idleTimeout: number;
};

/** What the newest clients send; it selects the protocol and the models (kimi-web.md §2.2, §6 #2). */
const defaultSiteVersion = "2.3.0";

/** HTTP client of Kimi's site: unary calls and the chat stream (kimi-web.md §2.1). Throws only GatewayError. */
export class KimiClient {
  readonly #openSite: () => Host;
  readonly #site: Host;
  readonly #auth: Host;
  readonly #drift: ProtocolDrift;
  readonly #idleTimeout: number;
  readonly #headers: Record<string, string>;

  constructor(options: KimiClientOptions, drift: ProtocolDrift, hosts: HostOptions = {}) {
    const timeouts = { headersTimeout: limits.upstreamHeaders };
    this.#openSite = () => createHost("Kimi", options.baseUrl, timeouts, hosts);
    this.#site = this.#openSite();
    this.#auth = createHost("Kimi", options.authUrl, timeouts, hosts);
    this.#drift = drift;
    this.#idleTimeout = options.idleTimeout;
    this.#headers = {
      "user-agent": options.userAgent ?? `Moonbridge/${version}`,
      "connect-protocol-version": "1",
      // Some JSON endpoints compress without being asked to (kimi-web.md §2.1).
      "accept-encoding": "identity",
      "x-msh-platform": "web",
      "x-msh-version": options.siteVersion ?? defaultSiteVersion,
    };
  }

  /** A unary call to the site; `method` as `package.Service/Method`. */
  call(method: string, body: JsonObject, token: string, signal: AbortSignal): Promise<JsonObject> {
    return this.#post(this.#site, `/apiv2/${method}`, JSON.stringify(body), signal, token);
  }

  /** A unary call to the site's file service. */
  callFiles(method: string, body: JsonObject, token: string, signal: AbortSignal): Promise<JsonObject> {
    return this.#post(this.#site, `/apiv2-files/${method}`, JSON.stringify(body), signal, token);
  }

  /**
   * Uploads a file as a multipart form, streamed as it is read (kimi-web.md §2.8). Over a connection of its own: a body
   * that is gone could not be sent again if Kimi closed an idle connection just then.
   */
  async upload(file: FileContent, token: string, signal: AbortSignal): Promise<JsonObject> {
    const host = this.#openSite();
    const form = new MultipartFileForm(file);
    const headers = { ...this.#headersFor(token), ...form.headers };
    const path = "/apiv2-files/file/upload";
    const body = Readable.from(form.bytes(), { objectMode: false });
    try {
      const request = {
        method: "POST",
        path,
        headers,
        body,
        signal,
        idleTimeout: this.#idleTimeout,
      } as const;
      return this.#parseBody(await fetchResponse(host, request));
    } finally {
      await host.pool.destroy();
    }
  }

  /** A unary call to the account gateway, which takes no bearer token. */
  callAuth(method: string, body: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#post(this.#auth, `/api/${method}`, JSON.stringify(body), signal);
  }

  /** A GET request to the site's legacy API. */
  async getLegacy(path: string, token: string, signal: AbortSignal): Promise<JsonObject> {
    const headers = this.#headersFor(token);
    return this.#parseBody(
      await fetchResponse(this.#site, { method: "GET", path, headers, signal, ...unaryTimeouts }),
    );
  }

  /** Opens the envelope stream of one answer. The caller must close it. */
  async openChat(body: string, token: string, signal: AbortSignal): Promise<ResponseStream> {
    const headers = { ...this.#headersFor(token), "content-type": "application/connect+json" };
    const path = "/apiv2/kimi.gateway.chat.v1.ChatService/Chat";
    const request = {
      method: "POST",
      path,
      headers,
      body: encodeEnvelope(body),
      signal,
      idleTimeout: this.#idleTimeout,
    } as const;
    const response = await openStream(this.#site, request, "application/connect+json");
    if (response instanceof ResponseStream) return response;
    const answer = this.#parseBody(response);
    const failure = asObject(answer.error) ?? answer;
    if (hasKimiForm(answer)) throw statusToError(response.status, failure, this.#drift);
    throw notEventStreamError(response.headers["content-type"]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#site.pool.destroy(), this.#auth.pool.destroy()]);
  }

  #headersFor(token: string | undefined): Record<string, string> {
    return token === undefined ? this.#headers : { ...this.#headers, authorization: `Bearer ${token}` };
  }

  async #post(
    host: Host,
    path: string,
    body: string,
    signal: AbortSignal,
    token?: string,
  ): Promise<JsonObject> {
    const headers = { ...this.#headersFor(token), "content-type": "application/json" };
    return this.#parseBody(
      await fetchResponse(host, { method: "POST", path, headers, body, signal, ...unaryTimeouts }),
    );
  }

  /** The body of a unary call. Throws unless it is a JSON object with status 200. */
  #parseBody(response: HttpResponse): JsonObject {
    const body = parseKimiAnswer(response, hasKimiForm);
    if (response.status !== 200) {
      const retryAfterSeconds = parseRetryAfter(response.headers["retry-after"]);
      throw statusToError(response.status, body, this.#drift, retryAfterSeconds);
    }
    return body;
  }
}
