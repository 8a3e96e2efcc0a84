import { type Dispatcher, Pool } from "undici";
import { ChatError } from "../chat/errors.js";
import { limits } from "../config/limits.js";
import type { Recorder } from "../observability/recording/recorder.js";
import { AnswerStream, type StreamRequest } from "./answer-stream.js";

/** Seconds: `Retry-After` beyond a day is a mistake, not advice. */
export const longestRetryAfter = 86_400;

/** The patience with a call that is answered at once, or not at all. */
export const shortCall = { headersTimeout: limits.unary, bodyTimeout: limits.unary };

/** A service's connections, its name for people, and the path in front of its own where a reverse proxy adds one. */
export type Host = { service: string; pool: Dispatcher; prefix: string };

export function host(service: string, url: string, options: Pool.Options, recorder?: Recorder): Host {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, options);
  const prefix = pathname.replace(/\/+$/, "");
  return { service, pool: recorder ? pool.compose(recorder.tap(prefix)) : pool, prefix };
}

/** Sends a request; resolves when the status line is there. Throws ChatError and nothing else. */
export async function request(
  to: Host,
  options: Dispatcher.RequestOptions,
): Promise<Dispatcher.ResponseData> {
  try {
    return await to.pool.request({ ...options, path: to.prefix + options.path });
  } catch (cause) {
    throw transportError(to, cause, options.signal);
  }
}

/**
 * Sends a request whose answer is read as it arrives, in the cheapest way there is; resolves when the status line is
 * there. Throws ChatError and nothing else.
 */
export function openAnswer(to: Host, options: StreamRequest): Promise<AnswerStream> {
  const explain = (cause: unknown, signal: AbortSignal) => transportError(to, cause, signal);
  return AnswerStream.open(to.pool, { ...options, path: to.prefix + options.path }, explain);
}

/** The bytes of one answer as they arrive, through a stream of Node's that the other side can be seen to close. */
export class ResponseStream {
  readonly #from: Host;
  readonly #body: Dispatcher.ResponseData["body"];

  constructor(from: Host, body: Dispatcher.ResponseData["body"]) {
    this.#from = from;
    this.#body = body;
    // Cutting the body raises an error on it even when nobody reads it any more.
    body.on("error", () => {});
  }

  /** What each read of the socket brought. Throws ChatError when the connection breaks or falls silent. */
  async *chunks(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.#body.iterator({ destroyOnReturn: false })) yield chunk;
    } catch (cause) {
      throw transportError(this.#from, cause, undefined);
    }
  }

  /**
   * Gives the connection back to the pool if the answer was read to its end, and cuts it otherwise. Resolves when the
   * other side has closed the stream too; that is waited for only so long.
   */
  async close(complete: boolean, patience: number = limits.unary): Promise<void> {
    const body = this.#body;
    if (!complete) body.destroy();
    if (body.closed || !complete) return;
    const late = setTimeout(() => body.destroy(), patience);
    // Not undici's dump(): its limit counts what was read before, so it cuts the connection of any longer answer.
    let left: number = limits.afterEnd;
    body.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) body.destroy();
    });
    await new Promise((resolve) => body.once("close", resolve).resume());
    clearTimeout(late);
  }
}

/** A body as text, of a short call unless `limit` says how many bytes it may have. Throws ChatError. */
export async function readAll(
  from: Host,
  body: AsyncIterable<Buffer>,
  limit: number = limits.unaryBody,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > limit) throw new ChatError("upstream_protocol", `${from.service} answered with too much.`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw transportError(from, cause, undefined);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A failure of the transport in our words; undici's own could name headers. */
function transportError({ service }: Host, cause: unknown, signal: unknown): ChatError {
  if (cause instanceof ChatError) return cause;
  if (signal instanceof AbortSignal && signal.aborted && signal.reason instanceof ChatError)
    return signal.reason;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const name = cause instanceof Error ? cause.name : "";
  if (/TIMEOUT/.test(code) || name === "TimeoutError") {
    return new ChatError("timeout", `${service} did not answer in time. Try again.`, {
      upstreamCode: code || name,
    });
  }
  if (
    /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT_|DEPTH_|SELF_SIGNED|ERR_TLS)/.test(code)
  ) {
    return new ChatError(
      "upstream_unavailable",
      `${service} cannot be reached. Check this machine's network and baseUrl.`,
      {
        upstreamCode: code,
      },
    );
  }
  return new ChatError("upstream_cut", `The connection to ${service} broke before the answer was complete.`, {
    upstreamCode: code || name || "broken",
  });
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
