import type { FastifyInstance } from "fastify";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { Metrics } from "../observability/metrics.js";

/**
 * Tracks running requests: gives each an abort signal and a deadline, logs and measures its end, and aborts all of them
 * at shutdown.
 */
export class RequestLifecycle {
  readonly #running = new Set<AbortController>();

  constructor(app: FastifyInstance, metrics: Metrics) {
    app.addHook("onRequest", (request, reply, done) => {
      const controller = new AbortController();
      const startedAt = performance.now();
      const deadlineTimer = setTimeout(() => controller.abort(answerTimeout()), limits.answer);
      this.#running.add(controller);
      request.stopSignal = controller.signal;
      request.failure = undefined;
      reply.raw.once("close", () => {
        clearTimeout(deadlineTimer);
        this.#running.delete(controller);
        const isDisconnected = !reply.raw.writableFinished;
        if (isDisconnected) controller.abort(new GatewayError("cancelled", "The client left."));
        const ended = {
          method: request.method,
          route: request.routeOptions.url ?? "none",
          status: reply.raw.statusCode,
          milliseconds: Math.round(performance.now() - startedAt),
        };
        metrics.recordRequest(ended);
        request.log.info(
          {
            reqId: request.id,
            ...ended,
            key: request.principal?.keyName,
            failure: isDisconnected ? "cancelled" : request.failure?.code,
            upstreamCode: identifierOrUndefined(request.failure?.upstreamCode),
          },
          "request",
        );
      });
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

/** The upstream's error code, for the log. Undefined unless it has the form of an identifier, since it is foreign text. */
function identifierOrUndefined(name: string | undefined): string | undefined {
  return name !== undefined && /^[\w.-]{1,80}$/.test(name) ? name : undefined;
}

/** The id of a request, as OpenAI's and Anthropic's SDKs read it (clients.md §7 row 8). */
export function requestIdHeaders(id: string): Record<string, string> {
  return { "x-request-id": id, "request-id": id };
}
