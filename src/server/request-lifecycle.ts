import type { FastifyInstance } from "fastify";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { Metrics } from "../observability/metrics.js";

/** Methods of those who look in every few seconds, for health or metrics. */
const looks = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * The requests that are being answered: gives each its stop signal and its time, logs its end, and stops them all at
 * the end.
 */
export class Lifetime {
  readonly #running = new Set<AbortController>();
  #restsSince = performance.now();

  constructor(app: FastifyInstance, metrics: Metrics) {
    app.addHook("onRequest", (request, reply, done) => {
      const controller = new AbortController();
      const startedAt = performance.now();
      const late = setTimeout(() => controller.abort(tooLate()), limits.answer);
      this.#running.add(controller);
      request.stop = controller.signal;
      request.failure = undefined;
      reply.raw.once("close", () => {
        clearTimeout(late);
        this.#running.delete(controller);
        if (!looks.has(request.method)) this.#restsSince = performance.now();
        const left = !reply.raw.writableFinished;
        if (left) controller.abort(new GatewayError("cancelled", "The client left."));
        const ended = {
          method: request.method,
          route: request.routeOptions.url ?? "none",
          status: reply.raw.statusCode,
          milliseconds: Math.round(performance.now() - startedAt),
        };
        metrics.request(ended);
        request.log.info(
          {
            reqId: request.id,
            ...ended,
            key: request.caller?.keyName,
            failure: left ? "cancelled" : request.failure?.code,
            upstreamCode: identifier(request.failure?.upstreamCode),
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

  /** Milliseconds since the last of them ended that was more than a look; 0 while there are any. */
  get restedFor(): number {
    return this.#running.size > 0 ? 0 : performance.now() - this.#restsSince;
  }

  /** Ends what is still running; streams get an error event, the rest its status. */
  stopAll(): void {
    for (const controller of this.#running) {
      controller.abort(
        new GatewayError("shutting_down", "Moonbridge is shutting down. Try again in a moment."),
      );
    }
  }
}

function tooLate(): GatewayError {
  return new GatewayError("timeout", "The answer took too long and was stopped.");
}

/** The upstream's name for a failure, if it is a name: it comes from outside. */
function identifier(name: string | undefined): string | undefined {
  return name !== undefined && /^[\w.-]{1,80}$/.test(name) ? name : undefined;
}
