import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { type BodyMemory, BodyReservation } from "./body-memory.js";
import { receiveJsonBody } from "./receive-body.js";

declare module "fastify" {
  interface FastifyRequest {
    /** The memory taken for the body, until the response is closed. */
    bodyReservation: BodyReservation;
  }
}

/**
 * Parses bodies as JSON whatever their content type: scripts often omit it. Bodies count towards `memory` for as long
 * as their request runs.
 */
export function acceptJson(app: FastifyInstance, memory: BodyMemory): void {
  const parser = new JsonBodyParser();
  app.removeAllContentTypeParsers();
  app.addHook("preParsing", (request, reply, payload, done) => {
    const reservation = new BodyReservation(memory);
    request.bodyReservation = reservation;
    if (reply.raw.closed) reservation.release();
    else reply.raw.once("close", () => reservation.release());
    done(null, payload);
  });
  app.addContentTypeParser("*", async (request: IncomingRequest) => {
    const { raw, bodyReservation: reservation, stopSignal: signal } = request;
    const body = await receiveJsonBody(raw, { reservation, signal });
    // Some HTTP libraries announce JSON in every request, also where there is none to send.
    if (body.length === 0 && raw.method === "DELETE") return undefined;
    return parser.parse(body, signal);
  });
}

type IncomingRequest = { raw: IncomingMessage; bodyReservation: BodyReservation; stopSignal: AbortSignal };

/** Parses large bodies one after the other, so that other requests are served in between. */
class JsonBodyParser {
  #lastTurn: Promise<void> = Promise.resolve();

  /** Throws `invalid_request`, or the signal's reason. */
  async parse(body: Buffer, signal: AbortSignal): Promise<unknown> {
    if (body.length <= limits.bodyYieldLength) return parseJson(body);
    const previousTurn = this.#lastTurn;
    let endTurn: () => void = () => {};
    this.#lastTurn = new Promise((resolve) => {
      endTurn = resolve;
    });
    await previousTurn;
    const startedAt = performance.now();
    try {
      signal.throwIfAborted();
      return parseJson(body);
    } finally {
      // A new connection needs several event-loop iterations for its answer.
      setTimeout(endTurn, Math.min(maxPauseMs, performance.now() - startedAt));
      // The caller validates the body in an iteration of its own.
      await setImmediate();
    }
  }
}

/** Milliseconds between two large bodies, unless parsing takes less. */
const maxPauseMs = 50;

function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw notUtf8Error();
  try {
    return JSON.parse(body.toString("utf8").replace(/^\ufeff/, ""));
  } catch {
    // The parser's message quotes the body, so it is not used.
    throw new GatewayError("invalid_request", "The body is not valid JSON.");
  }
}

function notUtf8Error(): GatewayError {
  return new GatewayError(
    "invalid_request",
    "The body is not UTF-8. On a Windows console, write it to a file in UTF-8 and send that: curl --data-binary @file.",
  );
}
