import type { Dispatcher } from "undici";

export type Headers = Readonly<Record<string, string>>;

/** What an exchange asks of the recording: room for so many bytes, and to be written once it is over. */
type Keeper = { keeps: (bytes: number) => boolean; over: (exchange: RecordedExchange) => void };

type Answer = { status: number; headers: Headers; chunks: Buffer[] };

/** One request and its answer, as they went over the wire. */
export class RecordedExchange {
  readonly method: string;
  readonly path: string;
  /** A body that is read from somewhere, such as a file, is not kept; its size is. */
  readonly asked: { headers: Headers; body: Buffer | number };
  answered: Answer | undefined;
  complete = false;
  readonly #keeper: Keeper;
  #dropped = false;

  constructor(options: Dispatcher.DispatchOptions, prefix: string, keeper: Keeper) {
    this.method = options.method;
    this.path = options.path.slice(prefix.length);
    const headers = readHeaders(options.headers);
    this.asked = { headers, body: readBody(options.body, headers) };
    this.#keeper = keeper;
    this.#keep(Buffer.isBuffer(this.asked.body) ? this.asked.body.length : 0);
  }

  /** The same handler, overheard. */
  listen(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
      onRequestUpgrade: (controller, status, headers, socket) =>
        handler.onRequestUpgrade?.(controller, status, headers, socket),
      onResponseStart: (controller, status, headers, message) => {
        this.answered = { status, headers: readHeaders(headers), chunks: [] };
        handler.onResponseStart?.(controller, status, headers, message);
      },
      onResponseData: (controller, chunk) => {
        if (this.#keep(chunk.length)) this.answered?.chunks.push(Buffer.from(chunk));
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

  #keep(bytes: number): boolean {
    this.#dropped ||= !this.#keeper.keeps(bytes);
    if (this.#dropped && this.answered) this.answered.chunks = [];
    return !this.#dropped;
  }

  #end(): void {
    if (!this.#dropped) this.#keeper.over(this);
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
