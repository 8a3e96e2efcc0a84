import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import type { Activity } from "../admin/activity.js";
import type { JournalEntry, JournalTexts } from "../core/journal.js";
import type { Usage } from "../core/types.js";
import type { Journal } from "../observability/journal.js";
import type { Metrics } from "../observability/metrics.js";
import { maskedPathOfUrl } from "./request-path.js";

/** What is kept of a text from outside. */
const maxTextLength = 200;
const maxIgnored = 50;

export type RequestLogOptions = {
  log: FastifyBaseLogger;
  metrics: Metrics;
  journal: Journal;
  activity: Activity;
};

/** Writes one line about each request when it has ended, measures it, and adds those of the API to the journal. */
export class RequestLog {
  readonly #options: RequestLogOptions;
  /** The lines of requests whose tokens are still being counted. */
  readonly #pending = new Set<Promise<void>>();

  constructor(options: RequestLogOptions) {
    this.#options = options;
  }

  /** Notes that a request was authenticated, if anybody watches. */
  recordStart({ id, method, routeOptions, record, principal }: FastifyRequest): void {
    const { activity } = this.#options;
    const route = routeOptions.url ?? "none";
    const { dialect } = record;
    if (!activity.isWatched || !isJournaled({ method, route, dialect })) return;
    const request = { id, startedAt: Date.now(), method, route, dialect, key: principal?.keyName };
    activity.emit({ type: "request-started", request });
  }

  /** Notes the end of a request. `isDisconnected`: its client left before the end of the answer. */
  recordEnd(request: FastifyRequest, reply: FastifyReply, isDisconnected: boolean): void {
    const { record } = request;
    const entry = toEntry(request, reply, isDisconnected);
    const { method, route, status, duration } = entry;
    const texts = record.readTexts();
    this.#options.metrics.recordRequest({ method, route, status, milliseconds: duration });
    const path = route === "none" ? maskedPathOfUrl(request.originalUrl) : undefined;
    if (record.upstream === undefined) {
      this.#write(entry, texts, path);
      return;
    }
    // Tokens are counted when the client has its answer already.
    const written = record
      .readUsage()
      .catch(() => undefined)
      .then((usage) => this.#write({ ...entry, usage }, texts, path))
      .finally(() => this.#pending.delete(written));
    this.#pending.add(written);
  }

  /** Resolves when the lines of all ended requests are written. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** `texts` goes into the journal only, not into the log and not to those who watch. */
  #write(entry: JournalEntry, texts: JournalTexts | undefined, path: string | undefined): void {
    const { log, journal, activity } = this.#options;
    log.info(toLine(entry, path), "request");
    if (!isJournaled(entry)) return;
    journal.add(texts ? { ...entry, texts } : entry);
    if (activity.isWatched) activity.emit({ type: "request-ended", entry });
  }
}

/** The requests of clients: not those of monitoring, of the documentation and of the console. */
function isJournaled({
  method,
  route,
  dialect,
}: Pick<JournalEntry, "method" | "route" | "dialect">): boolean {
  if (method === "OPTIONS") return false;
  return dialect !== undefined || (/^\/(v1|mcp|token)\b/.test(route) && !route.startsWith("/v1/admin"));
}

/** What is known of an ended request but its tokens; durations in milliseconds. */
function toEntry(request: FastifyRequest, reply: FastifyReply, isDisconnected: boolean): JournalEntry {
  const { record } = request;
  return {
    id: request.id,
    endedAt: Date.now(),
    duration: record.elapsedMs,
    method: request.method,
    route: request.routeOptions.url ?? "none",
    status: reply.raw.statusCode,
    failure: isDisconnected ? "cancelled" : request.failure?.code,
    upstreamCode: identifierOrUndefined(request.failure?.upstreamCode),
    dialect: record.dialect,
    key: request.principal?.keyName,
    upstream: record.upstream,
    model: record.model?.slice(0, maxTextLength),
    chat: record.chat,
    attempts: record.attempts,
    waited: record.waitedMs,
    firstOutput: record.firstOutputMs,
    finish: record.finish,
    ignored: record.ignored.length > 0 ? record.ignored.slice(0, maxIgnored) : undefined,
    traceId: record.traceId,
  };
}

/** The fields of the line. `path`: that of a request that led nowhere. */
function toLine(entry: JournalEntry, path: string | undefined) {
  const { id, method, route, status, duration, key, failure, upstreamCode, usage } = entry;
  return {
    reqId: id,
    ...{ method, route, status, milliseconds: duration },
    ...{ path, key, failure, upstreamCode },
    dialect: entry.dialect,
    model: entry.model,
    upstream: entry.upstream,
    chat: entry.chat,
    attempts: entry.attempts > 1 ? entry.attempts : undefined,
    waited: entry.waited,
    firstWord: entry.firstOutput,
    finish: entry.finish,
    ...usageFields(usage),
    ignored: entry.ignored,
    trace: entry.traceId,
  };
}

function usageFields(usage: Usage | undefined) {
  return {
    inputTokens: usage?.input,
    cachedTokens: usage?.cached || undefined,
    outputTokens: usage?.output,
    estimated: usage?.estimated || undefined,
  };
}

/** The upstream's error code, for the log. Undefined unless it has the form of an identifier, since it is foreign text. */
function identifierOrUndefined(name: string | undefined): string | undefined {
  return name !== undefined && /^[\w.-]{1,80}$/.test(name) ? name : undefined;
}
