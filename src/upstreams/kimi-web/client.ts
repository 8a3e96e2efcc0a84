import type { IncomingHttpHeaders } from "node:http";
import { type Dispatcher, FormData, Pool } from "undici";
import { ChatError } from "../../chat/errors.js";
import type { FileBytes } from "../../chat/types.js";
import { limits } from "../../config/limits.js";
import { type JsonObject, parseObject } from "../../json.js";
import type { Drift } from "../../observability/drift.js";
import { version } from "../../version.js";
import { AnswerStream } from "../answer-stream.js";
import { statusToError } from "./errors.js";
import { encodeFrame } from "./frames.js";

const shortCall = { headersTimeout: limits.unary, bodyTimeout: limits.unary };

/** `Retry-After` beyond a day is a mistake, not advice. */
const longestRetryAfter = 86_400;

export type ClientOptions = {
  /** The site, e.g. `https://www.kimi.com`. */
  baseUrl: string;
  /** The account gateway, e.g. `https://auth.kimi.com`. */
  authUrl: string;
  userAgent?: string;
  /** Milliseconds of silence after which an answer is given up. */
  silence: number;
};

/** Kimi over HTTP: short calls and the one that streams (kimi-web.md §2.1). Throws ChatError and nothing else. */
export class KimiClient {
  readonly #site: Host;
  readonly #auth: Host;
  readonly #drift: Drift;
  readonly #headers: Record<string, string>;

  constructor(options: ClientOptions, drift: Drift) {
    const pool = {
      connect: { timeout: limits.connect },
      headersTimeout: limits.upstreamHeaders,
      bodyTimeout: options.silence,
    };
    this.#site = host(options.baseUrl, pool);
    this.#auth = host(options.authUrl, pool);
    this.#drift = drift;
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
  async call(method: string, body: JsonObject, token: string, signal: AbortSignal): Promise<JsonObject> {
    const response = await this.#post(this.#site, `/apiv2/${method}`, JSON.stringify(body), signal, token);
    return this.#json(response);
  }

  /** A unary call to the site's file service. */
  async callFiles(method: string, body: JsonObject, token: string, signal: AbortSignal): Promise<JsonObject> {
    const path = `/apiv2-files/${method}`;
    return this.#json(await this.#post(this.#site, path, JSON.stringify(body), signal, token));
  }

  /** Sends a file as one multipart form (kimi-web.md §2.8). */
  async upload(
    { name, mediaType, bytes }: FileBytes,
    token: string,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const form = new FormData();
    form.set("file", new Blob([new Uint8Array(bytes)], { type: mediaType }), name);
    const headers = this.#headersFor(token);
    const path = "/apiv2-files/file/upload";
    return this.#json(await request(this.#site, { method: "POST", path, headers, body: form, signal }));
  }

  /** A unary call to the account gateway, which takes no bearer. */
  async callAuth(method: string, body: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#json(await this.#post(this.#auth, `/api/${method}`, JSON.stringify(body), signal));
  }

  /** A GET of the legacy API on the site. */
  async getLegacy(path: string, token: string, signal: AbortSignal): Promise<JsonObject> {
    const headers = this.#headersFor(token);
    return this.#json(await request(this.#site, { method: "GET", path, headers, signal, ...shortCall }));
  }

  /** Opens the stream of one answer; the caller must close it. */
  async openChat(body: string, token: string, signal: AbortSignal): Promise<AnswerStream> {
    const { pool, prefix } = this.#site;
    const stream = await AnswerStream.open(
      pool,
      {
        method: "POST",
        path: `${prefix}/apiv2/kimi.gateway.chat.v1.ChatService/Chat`,
        headers: { ...this.#headersFor(token), "content-type": "application/connect+json" },
        body: encodeFrame(body),
        signal,
      },
      transportError,
    );
    const type = String(stream.headers["content-type"] ?? "");
    if (stream.status === 200 && type.startsWith("application/connect+json")) return stream;
    try {
      this.#read(stream.status, stream.headers, await textOf(stream));
    } finally {
      stream.close(false);
    }
    throw new ChatError(
      "upstream_protocol",
      `Kimi answered with “${mediaType(type)}” instead of a stream of events.`,
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.#site.pool.destroy(), this.#auth.pool.destroy()]);
  }

  #headersFor(token: string | undefined): Record<string, string> {
    return token === undefined ? this.#headers : { ...this.#headers, authorization: `Bearer ${token}` };
  }

  async #post(to: Host, path: string, body: string, signal: AbortSignal, token?: string) {
    const headers = { ...this.#headersFor(token), "content-type": "application/json" };
    return request(to, { method: "POST", path, headers, body, signal, ...shortCall });
  }

  async #json({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<JsonObject> {
    return this.#read(statusCode, headers, await readAll(body));
  }

  /** The body of a short call. Anything but a JSON object with status 200 is an error. */
  #read(status: number, headers: IncomingHttpHeaders, text: string): JsonObject {
    const body = parseObject(text);
    if (status !== 200) throw statusToError(status, body, this.#drift, retryAfter(headers["retry-after"]));
    if (!body) {
      const type = mediaType(String(headers["content-type"] ?? ""));
      throw new ChatError("upstream_protocol", `Kimi answered with a page (“${type}”) instead of JSON.`, {
        upstreamCode: "not_json",
      });
    }
    return body;
  }
}

/** A host's connections, and the path in front of its own where a reverse proxy adds one. */
type Host = { pool: Pool; prefix: string };

function host(url: string, options: Pool.Options): Host {
  const { origin, pathname } = new URL(url);
  return { pool: new Pool(origin, options), prefix: pathname.replace(/\/+$/, "") };
}

async function request(to: Host, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
  try {
    return await to.pool.request({ ...options, path: to.prefix + options.path });
  } catch (cause) {
    throw transportError(cause, options.signal);
  }
}

async function readAll(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const parts = new Parts();
  try {
    for await (const chunk of body) parts.add(chunk);
  } catch (cause) {
    throw transportError(cause, undefined);
  }
  return parts.text();
}

/** The text of what was to be a stream and is something else. */
async function textOf(stream: AnswerStream): Promise<string> {
  const parts = new Parts();
  while (await stream.more()) for (const chunk of stream.take()) parts.add(chunk);
  return parts.text();
}

/** A body in parts, as large as that of a short call may be. */
class Parts {
  readonly #chunks: Buffer[] = [];
  #size = 0;

  add(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > limits.unaryBody)
      throw new ChatError("upstream_protocol", "Kimi's answer to a short call is too large.");
    this.#chunks.push(chunk);
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}

/** A failure of the transport in our words; undici's own could name headers. */
function transportError(cause: unknown, signal: unknown): ChatError {
  if (cause instanceof ChatError) return cause;
  if (signal instanceof AbortSignal && signal.aborted && signal.reason instanceof ChatError)
    return signal.reason;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const name = cause instanceof Error ? cause.name : "";
  if (/TIMEOUT/.test(code) || name === "TimeoutError") {
    return new ChatError("timeout", "Kimi did not answer in time. Try again.", {
      upstreamCode: code || name,
    });
  }
  if (
    /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT_|DEPTH_|SELF_SIGNED|ERR_TLS)/.test(code)
  ) {
    return new ChatError(
      "upstream_unavailable",
      "Kimi cannot be reached. Check this machine's network and baseUrl.",
      {
        upstreamCode: code,
      },
    );
  }
  return new ChatError("upstream_cut", "The connection to Kimi broke before the answer was complete.", {
    upstreamCode: code || name || "broken",
  });
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const value = [header].flat()[0];
  if (value === undefined) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1_000;
  return Number.isFinite(seconds) ? Math.min(longestRetryAfter, Math.max(1, Math.ceil(seconds))) : undefined;
}

/** The type without parameters, and only if it looks like one: it is quoted in an error. */
function mediaType(header: string): string {
  const type = header.split(";")[0]?.trim() ?? "";
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : "unknown";
}
