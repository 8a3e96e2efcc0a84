import type { Socket } from "node:net";
import { type buildConnector, Client, type Dispatcher } from "undici";
import { errorCode } from "../../lib/error-code.js";
import { hasReceived, startResponse } from "./raw-connector.js";

/** Errors of a connection that the other side has closed. */
const closedCodes = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);

/** The socket of a connection, and whether it has brought an answer. */
type ConnectionState = { socket: Socket | undefined; hasAnswered: boolean };

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

  static open(
    origin: URL,
    options: Client.Options & { connect: buildConnector.connector },
  ): UpstreamConnection {
    const state: ConnectionState = { socket: undefined, hasAnswered: false };
    const connect: buildConnector.connector = (target, callback) =>
      options.connect(target, (...result) => {
        state.socket = result[1] ?? undefined;
        state.hasAnswered = false;
        callback(...result);
      });
    return new UpstreamConnection(origin, { ...options, connect }, state);
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
  #isReused = false;

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
    this.#isReused = this.#state.hasAnswered;
    if (this.#state.socket) startResponse(this.#state.socket);
    this.#handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...args: Parameters<NonNullable<Dispatcher.DispatchHandler["onRequestUpgrade"]>>): void {
    this.#handler.onRequestUpgrade?.(...args);
  }

  onResponseStart(...args: Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>): void {
    this.#handler.onResponseStart?.(...args);
    // They keep the buffer of the first socket read alive for as long as the response lasts.
    args[0].rawHeaders = null;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(...args: Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseEnd"]>>): void {
    this.#state.hasAnswered = true;
    this.#handler.onResponseEnd?.(...args);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const repeat = this.#isReused && this.#wasClosedUnanswered(error) ? this.#repeat : undefined;
    this.#repeat = undefined;
    // At once: the connection has no other request yet, and this one is the first on the new socket.
    if (repeat) repeat(this);
    else this.#handler.onResponseError?.(controller, error);
  }

  #wasClosedUnanswered(error: Error): boolean {
    const { socket } = this.#state;
    return closedCodes.has(errorCode(error) ?? "") && socket !== undefined && !hasReceived(socket);
  }
}
