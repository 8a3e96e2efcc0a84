import type { Socket } from "node:net";
import { type buildConnector, Client, type Dispatcher } from "undici";
import { errorCode } from "../../lib/error-code.js";
import { ProxyError } from "../../proxy/proxy-error.js";
import { ConnectError } from "./transport-error.js";

/** Errors of a connection that the other side has closed. */
const closedCodes = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** The socket of a connection, once it is established, and the bytes that it had received by then, from a proxy. */
type ConnectionState = { socket?: Socket; receivedAtStart: number };

/**
 * One connection of a pool. A service may close a connection that was idle at the very moment when a request goes out on
 * it. If nothing was received, such a request is sent once more, over a new connection.
 */
export class UpstreamConnection extends Client {
  private constructor(origin: URL, options: Client.Options, state: ConnectionState) {
    super(origin, options);
    // An interceptor, since the pool hands on handlers in undici's older form.
    this.dispatch = this.compose(repeatUnanswered(state)).dispatch;
  }

  /** A connection that cannot be established fails with a ConnectError, or a ProxyError. */
  static open(
    origin: URL,
    { connect, ...options }: Client.Options & { connect: buildConnector.connector },
  ): UpstreamConnection {
    const state: ConnectionState = { receivedAtStart: 0 };
    const connectTracked: buildConnector.connector = (target, callback) =>
      connect(target, (...[error, socket]) => {
        if (error instanceof ProxyError) return callback(error, null);
        if (error) return callback(new ConnectError(error, target.protocol === "https:"), null);
        state.socket = socket;
        state.receivedAtStart = socket.bytesRead;
        callback(null, socket);
      });
    return new UpstreamConnection(origin, { ...options, connect: connectTracked }, state);
  }
}

function repeatUnanswered(state: ConnectionState): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const repeat = (repeated: Dispatcher.DispatchHandler) => dispatch(options, repeated);
    return repeat(new RepeatHandler(state, handler, isRepeatable(options.body) ? repeat : undefined));
  };
}

/** A body that is read from a stream is gone after the first attempt. */
function isRepeatable(body: Dispatcher.DispatchOptions["body"]): boolean {
  return body === undefined || body === null || typeof body === "string" || body instanceof Uint8Array;
}

/** Passes everything on, except the failure of a request that it repeats. */
class RepeatHandler implements Dispatcher.DispatchHandler {
  readonly #state: ConnectionState;
  readonly #handler: Dispatcher.DispatchHandler;
  /** Sends the request again; undefined once it may not be. */
  #repeat: ((handler: Dispatcher.DispatchHandler) => boolean) | undefined;
  /** Bytes that the connection had received before the request. */
  #receivedBefore = 0;

  constructor(
    state: ConnectionState,
    handler: Dispatcher.DispatchHandler,
    repeat: ((handler: Dispatcher.DispatchHandler) => boolean) | undefined,
  ) {
    this.#state = state;
    this.#handler = handler;
    this.#repeat = repeat;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#receivedBefore = this.#state.socket?.bytesRead ?? 0;
    this.#handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...args: Parameters<NonNullable<Dispatcher.DispatchHandler["onRequestUpgrade"]>>): void {
    this.#handler.onRequestUpgrade?.(...args);
  }

  onResponseStart(...args: Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>): void {
    this.#handler.onResponseStart?.(...args);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(...args: Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseEnd"]>>): void {
    this.#handler.onResponseEnd?.(...args);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const repeat = this.#wasClosedUnanswered(error) ? this.#repeat : undefined;
    this.#repeat = undefined;
    // At once: the connection has no other request yet, and this one is the first on the new socket.
    if (repeat) repeat(this);
    else this.#handler.onResponseError?.(controller, error);
  }

  /** Whether the service had closed the idle connection before it read the request. */
  #wasClosedUnanswered(error: Error): boolean {
    const isReused = this.#receivedBefore > this.#state.receivedAtStart;
    const hasReceived = this.#state.socket?.bytesRead !== this.#receivedBefore;
    return isReused && !hasReceived && closedCodes.has(errorCode(error) ?? "");
  }
}
