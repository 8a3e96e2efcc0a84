import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FastifyBaseLogger } from "fastify";
import { errorFormat } from "../api/dialects.js";
import { errorHeaders } from "../api/error-headers.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import { errorCode } from "../lib/error-code.js";
import { corsHeaders } from "./cors.js";
import { requestIdHeaders } from "./request-lifecycle.js";
import { securityHeaders } from "./security-headers.js";

export type ConnectionErrorOptions = {
  /** The origins of browser UIs now. */
  origins: () => readonly string[];
  log: FastifyBaseLogger;
  /** Creates the id of a response. */
  requestId(): string;
};

/**
 * Answers what Node's HTTP server refuses before any route sees it (headers that are too large, malformed HTTP,
 * timeouts, CONNECT) as the routes answer: in an error envelope, with CORS headers.
 */
export class ConnectionErrors {
  readonly #options: ConnectionErrorOptions;
  readonly #unfinished = new WeakMap<Duplex, Set<ServerResponse>>();

  constructor(options: ConnectionErrorOptions) {
    this.#options = options;
  }

  /** Registers the listeners; `handleClientError` is registered by Fastify. */
  watch(server: Server): void {
    server.on("request", (request, response) => this.#trackResponse(request.socket, response));
    server.on("connect", (request: IncomingMessage, socket: Duplex) => {
      socket.on("error", () => {});
      const error = new GatewayError(
        "not_found",
        "Moonbridge is no proxy. Use its address as the base URL of the API.",
      );
      this.#refuse(socket, error, request.headers.origin);
    });
    // An expectation that the server does not know may be ignored (RFC 9110 §10.1.1).
    server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  }

  /** A listener for Node's event `clientError`. */
  handleClientError(thrown: Error & { rawPacket?: unknown }, socket: Duplex): void {
    const responses = [...(this.#unfinished.get(socket) ?? [])];
    const hasBegun = responses.some((response) => response.headersSent);
    if (errorCode(thrown) === "ECONNRESET" || !socket.writable || hasBegun) {
      socket.destroy();
      return;
    }
    const origin = responses.at(-1)?.req.headers.origin ?? originIn(thrown.rawPacket);
    this.#refuse(socket, fromClientError(thrown), origin);
  }

  /** Answers HTTP at a port that speaks HTTPS. */
  refusePlainHttp(socket: Duplex, packet: Buffer): void {
    const message = "This port speaks HTTPS. Begin the address with https:// in place of http://.";
    this.#refuse(socket, new GatewayError("invalid_request", message), originIn(packet));
    // What is not read when the connection closes would reset it, and take the answer along.
    socket.resume();
  }

  #trackResponse(socket: Socket, response: ServerResponse): void {
    const responses = this.#unfinished.get(socket) ?? new Set();
    this.#unfinished.set(socket, responses.add(response));
    response.once("close", () => responses.delete(response));
  }

  #refuse(socket: Duplex, error: GatewayError, origin: string | undefined): void {
    const { origins, log, requestId } = this.#options;
    const id = requestId();
    const body = JSON.stringify(errorFormat("").body(error, id));
    const headers = {
      ...securityHeaders,
      ...corsHeaders(origins(), origin),
      ...errorHeaders(error),
      ...requestIdHeaders(id),
      "content-type": "application/json; charset=utf-8",
      "content-length": String(Buffer.byteLength(body)),
      connection: "close",
    };
    const head = [
      `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
    // The client may keep its side open, or still send what was refused.
    const timer = setTimeout(() => socket.destroy(), limits.refusedConnection);
    socket.once("close", () => clearTimeout(timer));
    log.info({ reqId: id, status: error.status, failure: error.code }, "request");
  }
}

/** The `origin` header in the bytes at which the parser failed. */
function originIn(packet: unknown): string | undefined {
  const text = packet instanceof Uint8Array ? Buffer.from(packet).toString("latin1") : "";
  return /^origin:[ \t]*(\S+)/im.exec(text)?.[1];
}

function fromClientError(thrown: Error): GatewayError {
  switch (errorCode(thrown)) {
    case "HPE_HEADER_OVERFLOW":
      return new GatewayError(
        "headers_too_large",
        "The headers of the request are too large. Usually these are cookies of other pages of this host: delete them.",
      );
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new GatewayError("request_too_large", "The chunk extensions of the body are too large.");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new GatewayError("request_timeout", "The request did not arrive in time. Send it again.");
    default:
      return new GatewayError(
        "invalid_request",
        "This is not valid HTTP/1.1. Check that the base URL begins with http:// or https:// as Moonbridge prints it, and any proxy in between.",
      );
  }
}
