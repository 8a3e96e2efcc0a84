import type { Dispatcher } from "undici";

export type Headers = Readonly<Record<string, string>>;

/** The recording's side of a call: `reserveBytes` is false where the size limit is reached; `onCallEnd` writes the call. */
type RecordingBudget = {
  reserveBytes: (bytes: number) => boolean;
  onCallEnd: (exchange: RecordedCall) => void;
};

type RecordedResponse = { status: number; headers: Headers; chunks: Buffer[] };

/** One HTTP request and its response, as sent and received. */
export class RecordedCall {
  readonly method: string;
  readonly path: string;
  /** `body` is a number of bytes where the body is a stream, such as a file, which is not recorded. */
  readonly request: { headers: Headers; body: Buffer | number };
  response: RecordedResponse | undefined;
  complete = false;
  readonly #budget: RecordingBudget;
  #isOverBudget = false;

  constructor(options: Dispatcher.DispatchOptions, prefix: string, budget: RecordingBudget) {
    this.method = options.method;
    this.path = options.path.slice(prefix.length);
    const headers = readHeaders(options.headers);
    this.request = { headers, body: readBody(options.body, headers) };
    this.#budget = budget;
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
        this.complete = true;
        this.#end();
      },
      onResponseError: (controller, error) => {
        handler.onResponseError?.(controller, error);
        this.#end();
      },
    };
  }

  #reserve(bytes: number): boolean {
    this.#isOverBudget ||= !this.#budget.reserveBytes(bytes);
    if (this.#isOverBudget && this.response) this.response.chunks = [];
    return !this.#isOverBudget;
  }

  #end(): void {
    if (!this.#isOverBudget) this.#budget.onCallEnd(this);
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
