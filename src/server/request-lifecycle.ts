import type { FastifyInstance, FastifyRequest } from "fastify";
import { dialectOf } from "../api/dialects.js";
import { readTraceContext } from "../api/trace-context.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import { RequestRecord } from "../core/request-record.js";
import type { RequestLog } from "./request-log.js";
import { pathOfUrl } from "./request-path.js";

/**
 * Tracks running requests: gives each an abort signal, a deadline and a record, has its end logged, and aborts all of them at
 * shutdown.
 */
export class RequestLifecycle {
  readonly #running = new Set<AbortController>();

  constructor(app: FastifyInstance, requestLog: RequestLog) {
    app.addHook("onRequest", (request, reply, done) => {
      const controller = new AbortController();
      const deadlineTimer = setTimeout(() => controller.abort(answerTimeout()), limits.answer);
      this.#running.add(controller);
      request.stopSignal = controller.signal;
      request.failure = undefined;
      request.record = createRecord(request);
      reply.raw.once("close", () => {
        clearTimeout(deadlineTimer);
        this.#running.delete(controller);
        const isDisconnected = !reply.raw.writableFinished;
        if (isDisconnected) controller.abort(new GatewayError("cancelled", "The client left."));
        requestLog.recordEnd(request, reply, isDisconnected);
      });
      done();
    });
    // After the hooks that authenticate the request.
    app.addHook("preParsing", (request, _reply, _payload, done) => {
      requestLog.recordStart(request);
      done();
    });
  }

  get running(): number {
    return this.#running.size;
  }

  /** Aborts running requests: streams end with an error event, others with status 503. */
  abortAll(): void {
    for (const controller of this.#running) {
      controller.abort(
        new GatewayError("shutting_down", "Moonbridge is shutting down. Try again in a moment."),
      );
    }
  }
}

function answerTimeout(): GatewayError {
  return new GatewayError("timeout", "The answer took too long and was stopped.");
}

function createRecord({ url, headers }: FastifyRequest): RequestRecord {
  const record = new RequestRecord();
  record.dialect = dialectOf(pathOfUrl(url))?.name;
  record.traceId = readTraceContext(headers).trace?.traceId;
  return record;
}

/** The id of a request, as OpenAI's and Anthropic's SDKs read it (clients.md §7 row 8). */
export function requestIdHeaders(id: string): Record<string, string> {
  return { "x-request-id": id, "request-id": id };
}
