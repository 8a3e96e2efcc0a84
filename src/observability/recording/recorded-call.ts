import type { Dispatcher } from "undici";

export type Headers = Readonly<Record<string, string>>;

/** The recording that a call belongs to. */
type Recording = {
  /** Adds to the size of the recording; false where its limit is exceeded. */
  reserveBytes: (bytes: number) => boolean;
  /** Writes the call. */
  onCallEnd: (call: RecordedCall) => void;
};

type RecordedResponse = { status: number; headers: Headers; chunks: Buffer[] };

/** One HTTP request and its response, as sent and received. */
export class RecordedCall {
  readonly method: string;
  readonly path: string;
  /** `body` is a number of bytes where the body is a stream, such as a file, which is not recorded. */
  readonly request: { headers: Headers; body: Buffer | number };
  response: RecordedResponse | undefined;
  isComplete = false;
  readonly #recording: Recording;
  #isOverLimit = false;

  constructor(options: Dispatcher.DispatchOptions, prefix: string, recording: Recording) {
    this.method = options.method;
    this.path = options.path.slice(prefix.length);
    const headers = readHeaders(options.headers);
    this.request = { headers, body: readBody(options.body, headers) };
    this.#recording = recording;
    this.#reserve(Buffer.isBuffer(this.request.body) ? this.request.body.length : 0);
  }

  /** Wraps a handler to record the response that it receives. */
  observe(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onRequestUpgrade: (controller, status, headers, socket) =>
        handler.onRequestUpgrade?.(controller, status, headers, socket),
      onResponseStart: (controller, status, headers, message) => {
        this.response = { status, headers: readHeaders(headers), chunks: [] };
        handler.onResponseStart?.(controller, status, headers, message);
      },
      onResponseData: (controller, chunk) => {
        if (this.#reserve(chunk.length)) this.response?.chunks.push(Buffer.from(chunk));
        handler.onResponseData?.(controller, chunk);
      },
      onResponseEnd: (controller, trailers) => {
        handler.onResponseEnd?.(controller, trailers);
        this.isComplete = true;
        this.#end();
      },
      onResponseError: (controller, error) => {
        handler.onResponseError?.(controller, error);
        this.#end();
      },
    };
  }

  #reserve(bytes: number): boolean {
    this.#isOverLimit ||= !this.#recording.reserveBytes(bytes);
    if (this.#isOverLimit && this.response) this.response.chunks = [];
    return !this.#isOverLimit;
  }

  #end(): void {
    if (!this.#isOverLimit) this.#recording.onCallEnd(this);
  }
}

function readHeaders(headers: unknown): Headers {
  const entries = typeof headers === "object" && headers !== null ? Object.entries(headers) : [];
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (typeof value === "string" ? [[name.toLowerCase(), value]] : [])),
  );
}

function readBody(body: unknown, headers: Headers): Buffer | number {
  if (typeof body === "string") return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body);
  return body ? Number(headers["content-length"] ?? 0) : Buffer.alloc(0);
}
