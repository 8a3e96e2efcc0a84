import type { IncomingHttpHeaders } from "node:http";
import { buildConnector, type Dispatcher, Pool } from "undici";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { Recorder } from "../../observability/recording/recorder.js";
import { proxyConnector } from "../../proxy/connector.js";
import type { ChooseProxy } from "../../proxy/proxy-rules.js";
import { type ChunkSink, ResponseStream, type StreamRequest } from "./response-stream.js";
import { redirectError, type ServiceAddress, toTransportError } from "./transport-error.js";
import { UpstreamConnection } from "./upstream-connection.js";

/** Upper limit of `Retry-After`, one day: a longer one is most likely a mistake. */
export const maxRetryAfterSeconds = 86_400;

/** Timeouts of a unary call. */
export const unaryTimeouts = { headersTimeout: limits.unary, idleTimeout: limits.unary };

/** How the hosts of an upstream are reached. */
export type HostOptions = { recorder?: Recorder | undefined; chooseProxy?: ChooseProxy | undefined };

/** A service's connection pool, its name in error messages, and the path prefix of its base URL. */
export type Host = ServiceAddress & { pool: Dispatcher; prefix: string };

/** Default timeouts of a host's requests, in milliseconds; each request has its own time without a byte of the body. */
export type HttpTimeouts = Pick<Pool.Options, "headersTimeout">;

/** Creates the connection pool of a service. A recorder records all its calls. */
export function createHost(
  service: string,
  url: string,
  timeouts: HttpTimeouts = {},
  { recorder, chooseProxy = () => undefined }: HostOptions = {},
): Host {
  const { origin, pathname, hostname } = new URL(url);
  const direct = buildConnector({ timeout: limits.connect });
  const connect = proxyConnector(direct, { chooseProxy, timeout: limits.connect });
  const connection = { ...timeouts, connect };
  const pool = new Pool(origin, {
    factory: (poolOrigin) => UpstreamConnection.open(poolOrigin, connection),
  });
  const prefix = pathname.replace(/\/+$/, "");
  const recordedPool = recorder ? pool.compose(recorder.interceptor(prefix)) : pool;
  return { service, hostname, proxy: chooseProxy(new URL(origin)), pool: recordedPool, prefix };
}

/** A response with its whole body. */
export type HttpResponse = { status: number; headers: IncomingHttpHeaders; body: string };

/**
 * Sends a request and reads the whole response. `maxBytes`: maximum size of the body. Throws only GatewayError.
 */
export async function fetchResponse(
  host: Host,
  options: StreamRequest,
  maxBytes: number = limits.unaryBody,
): Promise<HttpResponse> {
  return readWhole(host, await sendRequest(host, options), maxBytes);
}

/**
 * Sends a request that expects a stream of this media type. The caller must close the stream. Resolves to the whole
 * response if it has another status than 200 or another media type. Throws only GatewayError.
 */
export async function openStream(
  host: Host,
  options: StreamRequest,
  mediaType: string,
): Promise<ResponseStream | HttpResponse> {
  const stream = await sendRequest(host, options);
  if (stream.status === 200 && parseMediaType(stream.headers["content-type"]) === mediaType) return stream;
  return readWhole(host, stream, limits.unaryBody);
}

function sendRequest(host: Host, options: StreamRequest): Promise<ResponseStream> {
  const request = { ...options, path: host.prefix + options.path };
  return ResponseStream.open(host.pool, request, (cause, signal) => toTransportError(host, cause, signal));
}

async function readWhole(host: Host, stream: ResponseStream, maxBytes: number): Promise<HttpResponse> {
  const collector = new BodyCollector(host, maxBytes);
  try {
    await stream.pipeTo(collector);
  } finally {
    stream.close(false);
  }
  const { status, headers } = stream;
  if (status >= 300 && status < 400) throw redirectError(host, status, headers.location);
  return { status, headers, body: collector.toText() };
}

/** Collects a body of at most `maxBytes` bytes. */
class BodyCollector implements ChunkSink {
  readonly isDone = false;
  readonly #host: Host;
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(host: Host, maxBytes: number) {
    this.#host = host;
    this.#maxBytes = maxBytes;
  }

  onChunks(chunks: readonly Buffer[]): undefined {
    for (const chunk of chunks) this.add(chunk);
  }

  /** Throws `upstream_protocol` beyond the limit. */
  add(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) {
      throw new GatewayError("upstream_protocol", `${this.#host.service} answered with too much.`);
    }
    this.#chunks.push(chunk);
  }

  toText(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}

/** The seconds of a `Retry-After` header, which holds seconds or a date. */
export function parseRetryAfter(header: string | string[] | undefined): number | undefined {
  const value = [header].flat()[0];
  if (value === undefined) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1_000;
  return Number.isFinite(seconds)
    ? Math.min(maxRetryAfterSeconds, Math.max(1, Math.ceil(seconds)))
    : undefined;
}

/** The media type without parameters; `unknown` unless it is well-formed, since errors quote it. */
export function parseMediaType(header: string | string[] | undefined): string {
  const type =
    String(header ?? "")
      .split(";")[0]
      ?.trim() ?? "";
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : "unknown";
}
