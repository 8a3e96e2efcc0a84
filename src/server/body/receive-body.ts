import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { JsonScanner } from "../../lib/json-scanner.js";
import type { BodyReservation } from "./body-memory.js";
import { serverBusyError } from "./byte-budget.js";
import { type ContentEncoding, contentEncoding } from "./content-encoding.js";

export type ReceiveOptions = {
  reservation: BodyReservation;
  signal: AbortSignal;
  /** Milliseconds in which a body must make progress while others wait for its memory. */
  stallWindow?: number;
};

/**
 * Receives a JSON body, without its content encoding, into memory taken from `reservation`. Throws `request_too_large`,
 * `unsupported_media_type` for an unknown encoding, `invalid_request` for a body with too many values or levels, `server_busy`, or the signal's reason; the rest of a refused body is read and
 * discarded, since many clients read no response before they have sent everything.
 */
export async function receiveJsonBody(request: IncomingMessage, options: ReceiveOptions): Promise<Buffer> {
  const { reservation, signal } = options;
  try {
    const declaredSize = declaredLength(request);
    if (declaredSize !== undefined && declaredSize > limits.requestBody) throw bodyTooLargeError();
    const encoding = contentEncoding(request);
    // A chunked or encoded body does not say how long it will be.
    const size = encoding ? undefined : declaredSize;
    await reservation.takeForBody(size ?? limits.smallBody, signal);
    const receiver = new BodyReceiver(request, encoding, options, size);
    const body = await receiver.receive();
    await reservation.takeForValues(body.length, receiver.values, signal);
    return body;
  } catch (error) {
    reservation.release();
    if (error instanceof GatewayError && !signal.aborted) await discardRest(request, signal);
    throw error;
  }
}

function declaredLength(request: IncomingMessage): number | undefined {
  const header = request.headers["content-length"];
  return header === undefined ? undefined : Number(header);
}

/** Copies the chunks into one buffer: as separate buffers, tiny chunks would take many times their bytes. */
class BodyReceiver {
  readonly #request: IncomingMessage;
  readonly #encoding: ContentEncoding | undefined;
  readonly #options: Required<ReceiveOptions>;
  readonly #scanner = new JsonScanner();
  #bytes: Buffer;
  #size = 0;
  /** The size at the beginning of the current stall window. */
  #sizeBefore = 0;
  /** Bytes that may be received with the memory that is taken. */
  #maxSize: number;

  constructor(
    request: IncomingMessage,
    encoding: ContentEncoding | undefined,
    { stallWindow = limits.bodyStallWindow, ...options }: ReceiveOptions,
    declaredSize: number | undefined,
  ) {
    this.#request = request;
    this.#encoding = encoding;
    this.#options = { ...options, stallWindow };
    this.#maxSize = declaredSize ?? limits.smallBody;
    this.#bytes = Buffer.allocUnsafeSlow(declaredSize ?? Math.min(initialCapacity, limits.smallBody));
  }

  /** JSON values so far. */
  get values(): number {
    return this.#scanner.values;
  }

  /** Resolves to the whole body. Throws as `receiveJsonBody`. */
  receive(): Promise<Buffer> {
    const encoding = this.#encoding;
    const stream = encoding ? this.#request.pipe(encoding.createDecoder()) : this.#request;
    const { signal, stallWindow } = this.#options;
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const settle = (error?: unknown) => {
        if (isSettled) return;
        isSettled = true;
        clearInterval(stallTimer);
        stream.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
        signal.removeEventListener("abort", onAbort);
        stream.pause();
        if (encoding) this.#stopDecoding(stream);
        if (error === undefined) resolve(this.#bytes.subarray(0, this.#size));
        else reject(error);
      };
      const onData = (chunk: Buffer) => {
        try {
          const waiting = this.#add(chunk);
          if (!waiting) return;
          stream.pause();
          waiting.then(() => (isSettled ? undefined : stream.resume()), settle);
        } catch (error) {
          settle(error);
        }
      };
      const onEnd = () => settle();
      const onClose = () => settle(signal.aborted ? signal.reason : incompleteBodyError());
      const onError = encoding === undefined ? onClose : () => settle(invalidEncodingError(encoding.name));
      const onAbort = () => settle(signal.reason);
      const stallTimer = setInterval(() => {
        if (this.#hasStalled()) settle(serverBusyError());
      }, stallWindow);
      stream.on("data", onData).on("end", onEnd).on("error", onError).on("close", onClose);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** The rest of the request can then be read from itself. */
  #stopDecoding(decoder: Readable): void {
    this.#request.unpipe();
    decoder.on("error", () => {}).destroy();
  }

  /** Returns a promise if more memory is waited for. */
  #add(chunk: Buffer): Promise<void> | undefined {
    const size = this.#size + chunk.length;
    if (size > limits.requestBody) throw bodyTooLargeError();
    this.#scanner.scan(chunk);
    rejectExcess(this.#scanner);
    if (size <= this.#maxSize) {
      this.#append(chunk);
      return undefined;
    }
    const { reservation, signal } = this.#options;
    return reservation.takeForBody(limits.requestBody, signal).then(() => {
      this.#maxSize = limits.requestBody;
      this.#append(chunk);
    });
  }

  #append(chunk: Buffer): void {
    const size = this.#size + chunk.length;
    if (size > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#maxSize, Math.max(size, 2 * this.#bytes.length)));
      this.#bytes.copy(grown, 0, 0, this.#size);
      this.#bytes = grown;
    }
    chunk.copy(this.#bytes, this.#size);
    this.#size = size;
  }

  /** Whether others wait and this body has hardly grown since the last call. */
  #hasStalled(): boolean {
    const received = this.#size - this.#sizeBefore;
    this.#sizeBefore = this.#size;
    return this.#options.reservation.isContended && received < limits.bodyStallBytes;
  }
}

/** Bytes allocated for a body of unknown length. */
const initialCapacity = 64 * 1_024;

/** Throws `invalid_request` for more values or levels than are parsed without holding up other requests. */
function rejectExcess({ values, maxDepth }: JsonScanner): void {
  if (values > limits.bodyValues) {
    throw new GatewayError(
      "invalid_request",
      `The body has more than ${limits.bodyValues} JSON values, the most that is taken. Send less.`,
    );
  }
  if (maxDepth > limits.bodyDepth) {
    throw new GatewayError(
      "invalid_request",
      `The body is nested more than ${limits.bodyDepth} levels deep, the most that is taken.`,
    );
  }
}

export function bodyTooLargeError(): GatewayError {
  const megabytes = limits.requestBody / 1_048_576;
  return new GatewayError(
    "request_too_large",
    `The request is larger than ${megabytes} MB. Send less, or smaller pictures.`,
  );
}

function invalidEncodingError(encoding: string): GatewayError {
  return new GatewayError(
    "invalid_request",
    `The body is not valid ${encoding}, which its content-encoding header announces.`,
  );
}

function incompleteBodyError(): GatewayError {
  return new GatewayError("invalid_request", "The body ended before it was complete.");
}

/** Reads and discards what is left of a body, for at most `limits.refusedBody`. */
async function discardRest(request: IncomingMessage, signal: AbortSignal): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  await new Promise<void>((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      request.off("end", settle).off("close", settle);
      signal.removeEventListener("abort", settle);
      resolve();
    };
    const timer = setTimeout(settle, limits.refusedBody);
    request.on("end", settle).on("close", settle);
    signal.addEventListener("abort", settle, { once: true });
    request.resume();
  });
}
