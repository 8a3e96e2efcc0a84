import type { IncomingHttpHeaders } from "node:http";
import { type Dispatcher, Pool } from "undici";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { Recorder } from "../../observability/recording/recorder.js";
import { straightConnector } from "./raw-connector.js";
import { AnswerStream, type StreamReader, type StreamRequest } from "./response-stream.js";

/** Seconds: `Retry-After` beyond a day is a mistake, not advice. */
export const longestRetryAfter = 86_400;

/** The patience with a call that is answered at once, or not at all. */
export const shortCall = { headersTimeout: limits.unary, bodyTimeout: limits.unary };

/**
 * A service's connections, its name for people, and the path in front of its own where a reverse proxy adds one. Where
 * it is recorded, nothing may go past the pool.
 */
export type Host = { service: string; pool: Dispatcher; prefix: string; recorded: boolean };

/** How long undici waits where a call says nothing else (milliseconds). */
export type Timeouts = Pick<Pool.Options, "headersTimeout" | "bodyTimeout">;

export function host(service: string, url: string, timeouts: Timeouts = {}, recorder?: Recorder): Host {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { ...timeouts, connect: straightConnector({ timeout: limits.connect }) });
  const prefix = pathname.replace(/\/+$/, "");
  const recorded = recorder !== undefined;
  return { service, pool: recorder ? pool.compose(recorder.tap(prefix)) : pool, prefix, recorded };
}

/** An answer that was read whole. */
export type Answered = { status: number; headers: IncomingHttpHeaders; body: string };

/**
 * Sends a request and reads its whole answer, of a short call unless `limit` says how many bytes it may have. Throws
 * GatewayError and nothing else.
 */
export async function call(
  to: Host,
  options: Dispatcher.RequestOptions & { signal: AbortSignal },
  limit: number = limits.unaryBody,
): Promise<Answered> {
  try {
    const asked = { ...options, path: to.prefix + options.path };
    const { statusCode: status, headers, body } = await to.pool.request(asked);
    const bytes = new Bytes(to, limit);
    for await (const chunk of body) bytes.add(chunk);
    return { status, headers, body: bytes.text() };
  } catch (cause) {
    throw transportError(to, cause, options.signal);
  }
}

/**
 * Sends a request whose answer is a stream of this media type, read as it arrives in the cheapest way there is; the
 * caller must close it. Resolves to the whole of what was answered in its place, if it is something else. Throws
 * GatewayError and nothing else.
 */
export async function openAnswer(
  to: Host,
  options: StreamRequest,
  type: string,
): Promise<AnswerStream | Answered> {
  const explain = (cause: unknown, signal: AbortSignal) => transportError(to, cause, signal);
  const asked = { ...options, path: to.prefix + options.path };
  const stream = await AnswerStream.open(to.pool, asked, { explain, straight: !to.recorded });
  if (stream.status === 200 && mediaType(stream.headers["content-type"]) === type) return stream;
  const bytes = new Bytes(to, limits.unaryBody);
  try {
    await stream.read(bytes);
  } finally {
    stream.close(false);
  }
  return { status: stream.status, headers: stream.headers, body: bytes.text() };
}

/** A body as it comes, up to so many bytes. */
class Bytes implements StreamReader {
  readonly isOver = false;
  readonly #from: Host;
  readonly #limit: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(from: Host, limit: number) {
    this.#from = from;
    this.#limit = limit;
  }

  hear(chunks: readonly Buffer[]): undefined {
    for (const chunk of chunks) this.add(chunk);
  }

  /** Throws `upstream_protocol` where there is too much. */
  add(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit) {
      throw new GatewayError("upstream_protocol", `${this.#from.service} answered with too much.`);
    }
    this.#chunks.push(chunk);
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}

/** A failure of the transport in our words; undici's own could name headers. */
function transportError({ service }: Host, cause: unknown, signal: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  if (signal instanceof AbortSignal && signal.aborted && signal.reason instanceof GatewayError)
    return signal.reason;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const name = cause instanceof Error ? cause.name : "";
  if (/TIMEOUT/.test(code) || name === "TimeoutError") {
    return new GatewayError("timeout", `${service} did not answer in time. Try again.`, {
      upstreamCode: code || name,
    });
  }
  if (
    /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT_|DEPTH_|SELF_SIGNED|ERR_TLS)/.test(code)
  ) {
    return new GatewayError(
      "upstream_unavailable",
      `${service} cannot be reached. Check this machine's network and baseUrl.`,
      {
        upstreamCode: code,
      },
    );
  }
  return new GatewayError(
    "upstream_cut",
    `The connection to ${service} broke before the answer was complete.`,
    {
      upstreamCode: code || name || "broken",
    },
  );
}

/** Seconds to wait as a `Retry-After` header says, whether it gives them or a date. */
export function retryAfter(header: string | string[] | undefined): number | undefined {
  const value = [header].flat()[0];
  if (value === undefined) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1_000;
  return Number.isFinite(seconds) ? Math.min(longestRetryAfter, Math.max(1, Math.ceil(seconds))) : undefined;
}

/** The type without parameters, and only if it looks like one: it is quoted in an error. */
export function mediaType(header: string | string[] | undefined): string {
  const type =
    String(header ?? "")
      .split(";")[0]
      ?.trim() ?? "";
  return /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : "unknown";
}
