import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import type { RequestRecord } from "../core/request-record.js";
import type { Usage } from "../core/types.js";
import type { Metrics } from "../observability/metrics.js";

/** What is shown of texts from outside, such as the path of a request that leads nowhere. */
const maxTextLength = 200;
const maxIgnored = 50;

/** Writes one line about each request when it has ended, and measures it. */
export class RequestLog {
  readonly #log: FastifyBaseLogger;
  readonly #metrics: Metrics;
  /** The lines of requests whose tokens are still being counted. */
  readonly #pending = new Set<Promise<void>>();

  constructor(log: FastifyBaseLogger, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** Notes the end of a request. `isDisconnected`: its client left before the end of the answer. */
  recordEnd(request: FastifyRequest, reply: FastifyReply, isDisconnected: boolean): void {
    const { record } = request;
    const ended = {
      method: request.method,
      route: request.routeOptions.url ?? "none",
      status: reply.raw.statusCode,
      milliseconds: record.elapsedMs,
    };
    this.#metrics.recordRequest(ended);
    const line = {
      reqId: request.id,
      ...ended,
      path: request.routeOptions.url === undefined ? pathOf(request) : undefined,
      key: request.principal?.keyName,
      failure: isDisconnected ? "cancelled" : request.failure?.code,
      upstreamCode: identifierOrUndefined(request.failure?.upstreamCode),
    };
    if (record.upstream === undefined) {
      this.#write({ ...line, ...answerFields(record, undefined) });
      return;
    }
    // Tokens are counted when the client has its answer already.
    const written = record
      .readUsage()
      .catch(() => undefined)
      .then((usage) => this.#write({ ...line, ...answerFields(record, usage) }))
      .finally(() => this.#pending.delete(written));
    this.#pending.add(written);
  }

  /** Resolves when the lines of all ended requests are written. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #write(line: object): void {
    this.#log.info(line, "request");
  }
}

/** What is known of the answer; times in milliseconds. */
function answerFields(record: RequestRecord, usage: Usage | undefined) {
  return {
    dialect: record.dialect,
    model: record.model?.slice(0, maxTextLength),
    upstream: record.upstream,
    chat: record.chat,
    attempts: record.attempts > 1 ? record.attempts : undefined,
    waited: record.waitedMs,
    firstWord: record.firstOutputMs,
    finish: record.finish,
    inputTokens: usage?.input,
    cachedTokens: usage?.cached || undefined,
    outputTokens: usage?.output,
    estimated: usage?.estimated || undefined,
    ignored: record.ignored.length > 0 ? record.ignored.slice(0, maxIgnored) : undefined,
    trace: record.traceId,
  };
}

/** The path without its query, which may hold a secret. */
function pathOf({ originalUrl }: FastifyRequest): string {
  return (originalUrl.split("?")[0] ?? "").slice(0, maxTextLength);
}

/** The upstream's error code, for the log. Undefined unless it has the form of an identifier, since it is foreign text. */
function identifierOrUndefined(name: string | undefined): string | undefined {
  return name !== undefined && /^[\w.-]{1,80}$/.test(name) ? name : undefined;
}
