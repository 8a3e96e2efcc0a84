import { Readable } from "node:stream";
import { limits } from "../../core/limits.js";
import type { FileContent } from "../../core/types.js";
import { type JsonObject, parseObject } from "../../lib/json.js";
import { version } from "../../lib/version.js";
import type { Drift } from "../../observability/protocol-drift.js";
import type { Recorder } from "../../observability/recording/recorder.js";
import { type Answered, call, type Host, host, openAnswer, retryAfter, shortCall } from "../http/client.js";
import { AnswerStream } from "../http/response-stream.js";
import { notEvents, notJson } from "../kimi-shared/errors.js";
import { encodeFrame } from "./envelope.js";
import { statusToError } from "./errors.js";
import { FileForm } from "./multipart-form.js";

export type ClientOptions = {
  /** The site, e.g. `https://www.kimi.com`. */
  baseUrl: string;
  /** The account gateway, e.g. `https://auth.kimi.com`. */
  authUrl: string;
  userAgent?: string;
  /** Milliseconds of silence after which an answer is given up. */
  silence: number;
};

/** Kimi over HTTP: short calls and the one that streams (kimi-web.md §2.1). Throws GatewayError and nothing else. */
export class KimiClient {
  readonly #site: Host;
  readonly #auth: Host;
  readonly #drift: Drift;
  readonly #silence: number;
  readonly #headers: Record<string, string>;

  constructor(options: ClientOptions, drift: Drift, recorder?: Recorder) {
    const timeouts = { headersTimeout: limits.upstreamHeaders, bodyTimeout: options.silence };
    this.#site = host("Kimi", options.baseUrl, timeouts, recorder);
    this.#auth = host("Kimi", options.authUrl, timeouts, recorder);
    this.#drift = drift;
    this.#silence = options.silence;
    this.#headers = {
      "user-agent": options.userAgent ?? `Moonbridge/${version}`,
      "connect-protocol-version": "1",
      // Some JSON endpoints compress unasked (kimi-web.md §2.1).
      "accept-encoding": "identity",
      // Selects the current protocol: below 2.0.0 the catalogue is an older one (kimi-web.md §2.2).
      "x-msh-platform": "web",
      "x-msh-version": "2.2.0",
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

  /** Sends a file as one multipart form, as it is read (kimi-web.md §2.8). */
  async upload(file: FileContent, token: string, signal: AbortSignal): Promise<JsonObject> {
    const form = new FileForm(file);
    const headers = { ...this.#headersFor(token), ...form.headers };
    const path = "/apiv2-files/file/upload";
    const body = Readable.from(form.bytes(), { objectMode: false });
    return this.#read(await call(this.#site, { method: "POST", path, headers, body, signal }));
  }

  /** A unary call to the account gateway, which takes no bearer. */
  callAuth(method: string, body: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#post(this.#auth, `/api/${method}`, JSON.stringify(body), signal);
  }

  /** A GET of the legacy API on the site. */
  async getLegacy(path: string, token: string, signal: AbortSignal): Promise<JsonObject> {
    const headers = this.#headersFor(token);
    return this.#read(await call(this.#site, { method: "GET", path, headers, signal, ...shortCall }));
  }

  /** Opens the stream of one answer; the caller must close it. */
  async openChat(body: string, token: string, signal: AbortSignal): Promise<AnswerStream> {
    const headers = { ...this.#headersFor(token), "content-type": "application/connect+json" };
    const path = "/apiv2/kimi.gateway.chat.v1.ChatService/Chat";
    const asked = {
      method: "POST",
      path,
      headers,
      body: encodeFrame(body),
      signal,
      silence: this.#silence,
    } as const;
    const answer = await openAnswer(this.#site, asked, "application/connect+json");
    if (answer instanceof AnswerStream) return answer;
    this.#read(answer);
    throw notEvents(answer.headers["content-type"]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#site.pool.destroy(), this.#auth.pool.destroy()]);
  }

  #headersFor(token: string | undefined): Record<string, string> {
    return token === undefined ? this.#headers : { ...this.#headers, authorization: `Bearer ${token}` };
  }

  async #post(
    to: Host,
    path: string,
    body: string,
    signal: AbortSignal,
    token?: string,
  ): Promise<JsonObject> {
    const headers = { ...this.#headersFor(token), "content-type": "application/json" };
    return this.#read(await call(to, { method: "POST", path, headers, body, signal, ...shortCall }));
  }

  /** The body of a short call. Anything but a JSON object with status 200 is an error. */
  #read(answer: Answered): JsonObject {
    const body = parseObject(answer.body);
    if (answer.status !== 200) {
      throw statusToError(answer.status, body, this.#drift, retryAfter(answer.headers["retry-after"]));
    }
    if (!body) throw notJson(answer.headers["content-type"]);
    return body;
  }
}
