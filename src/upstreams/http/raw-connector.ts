import type { Socket } from "node:net";
import { buildConnector } from "undici";
import { limits } from "../../core/limits.js";
import { ChunkedDecoder } from "./chunked-decoder.js";
import { ContinueFilter } from "./continue-filter.js";
import { ConnectError } from "./transport-error.js";

/** Reads the body of a response in place of undici. */
export type RawBodyReader = {
  /** Takes bytes; false for back-pressure: no more until `resume`. */
  push(bytes: Buffer): boolean;
};

/** The source of a raw body: call `resume` after back-pressure. */
export type RawBodySource = { resume(): void };

/** The read buffer of all sockets. Each copies its bytes out before the next one reads. */
const readBuffer = Buffer.allocUnsafeSlow(limits.socketRead);

/** The first and the last bytes of a response head. */
const [httpVersionPrefix, headEnd] = [Buffer.from("HTTP/1."), Buffer.from("\r\n\r\n")];

const rawInput = Symbol("rawInput");
type RawSocket = Socket & { [rawInput]?: SocketInput };

/** The socket whose complete response head undici is parsing right now; the body begins with the next byte. */
let inputOfCurrentHead: SocketInput | undefined;

/**
 * Diverts the chunked body of a response from undici to a reader. To be called within undici's `onResponseStart`;
 * returns undefined if the body has to come through undici after all. Undici still parses the head and the last chunk,
 * and thus the end of the response, but no data in between.
 */
export function takeRawBody(reader: RawBodyReader): RawBodySource | undefined {
  return inputOfCurrentHead?.divertBody(reader);
}

/**
 * An undici connector whose sockets hand their bytes to undici, or to a `RawBodyReader`, without a Node stream in
 * between. A Node stream allocates memory for each read, queues the bytes and reports them a tick later; undici copies
 * them into its parser and calls back through five objects.
 */
export function rawConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector({ ...options, onread: { buffer: readBuffer, callback: onRead } });
  return (target, callback) => {
    connect(target, (...result) => {
      const [error, socket] = result;
      if (error) return callback(new ConnectError(error, target.protocol === "https:"), null);
      installRawReads(socket);
      callback(null, socket);
    });
  };
}

/** Call when a request is sent on a socket of `rawConnector`: the next bytes are those of its response. */
export function startResponse(socket: Socket): void {
  inputOf(socket).startResponse();
}

/** Whether bytes have arrived since `startResponse`. */
export function hasReceived(socket: Socket): boolean {
  return inputOf(socket).hasReceived;
}

/** Node's `onread` callback, called on the socket. False pauses reading. */
function onRead(this: RawSocket, length: number): boolean {
  return inputOf(this).receive(length);
}

/** The bytes of a socket that undici has not read yet, or the reader to which a response body is diverted. */
class SocketInput implements RawBodySource {
  readonly #socket: Socket;
  readonly #resumeSocket: () => void;
  readonly #chunks: Buffer[] = [];
  #queuedBytes = 0;
  /** Reading is paused; more bytes or the end may be waiting. */
  #isPaused = false;
  #body: { reader: RawBodyReader; decoder: ChunkedDecoder } | undefined;
  /** Set between a request and the head of its response. */
  #continueFilter: ContinueFilter | undefined;
  /** Bytes have arrived since the last request. */
  hasReceived = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#resumeSocket = socket.read.bind(socket, 0);
  }

  /** Takes `length` bytes from the read buffer. False pauses reading. */
  receive(length: number): boolean {
    this.hasReceived = true;
    if (this.#body) return this.#feedReader(this.#body, readBuffer, length);
    const bytes = readBuffer.subarray(0, length);
    const response = this.#continueFilter ? this.#continueFilter.push(bytes) : bytes;
    if (!response) return true;
    this.#continueFilter = undefined;
    return this.#feedUndici(response);
  }

  startResponse(): void {
    this.hasReceived = false;
    this.#continueFilter = new ContinueFilter();
  }

  /**
   * `read` of the socket, as undici calls it. With size 0 it is Node's call, to resume reading or to report the end.
   */
  read(size: number | undefined): Buffer | null {
    const chunk = size === 0 ? undefined : this.#chunks.shift();
    this.#queuedBytes -= chunk?.length ?? 0;
    if (chunk) return chunk;
    if (this.#chunks.length > 0) this.#isPaused = true;
    else if (size === 0 || (this.#isPaused && !this.#body)) this.#resumeReading();
    return null;
  }

  unshift(chunk: Buffer): void {
    this.#chunks.unshift(chunk);
    this.#queuedBytes += chunk.length;
  }

  divertBody(reader: RawBodyReader): RawBodySource {
    this.#body = { reader, decoder: new ChunkedDecoder() };
    return this;
  }

  resume(): void {
    if (this.#isPaused && this.#chunks.length === 0) this.#resumeReading();
  }

  #resumeReading(): void {
    this.#isPaused = false;
    this.#resumeSocket();
  }

  #feedReader(
    { reader, decoder }: { reader: RawBodyReader; decoder: ChunkedDecoder },
    bytes: Buffer,
    length: number,
  ): boolean {
    const data = decoder.decode(bytes, length);
    const canTakeMore = data === undefined || reader.push(data);
    if (decoder.isMalformed) {
      this.#socket.destroy(new Error("A chunk does not end where its size says."));
      return false;
    }
    if (!decoder.remainder) return this.#pauseIf(!canTakeMore);
    this.#body = undefined;
    return this.#feedUndici(decoder.remainder);
  }

  /** Passes bytes to undici, a response head separately. If the head diverts the body, the reader gets the rest. */
  #feedUndici(arrived: Buffer): boolean {
    for (let bytes = arrived; ; ) {
      const headSize = headLength(bytes);
      const isQueueEmpty = this.#chunks.length === 0;
      this.#enqueue(bytes.subarray(0, headSize || bytes.length));
      inputOfCurrentHead = headSize > 0 && isQueueEmpty ? this : undefined;
      try {
        this.#socket.emit("readable");
      } finally {
        inputOfCurrentHead = undefined;
      }
      if (headSize === 0 || headSize === bytes.length || this.#socket.destroyed) break;
      bytes = bytes.subarray(headSize);
      if (this.#body) return this.#feedReader(this.#body, bytes, bytes.length);
    }
    return this.#pauseIf(this.#queuedBytes >= limits.socketRead);
  }

  #pauseIf(shouldPause: boolean): boolean {
    this.#isPaused ||= shouldPause;
    return !shouldPause;
  }

  #enqueue(bytes: Buffer): void {
    this.#chunks.push(Buffer.from(bytes));
    this.#queuedBytes += bytes.length;
  }
}

/** The length of the response head at the start of these bytes; 0 if there is none or only a part of one. */
function headLength(bytes: Buffer): number {
  if (!bytes.subarray(0, httpVersionPrefix.length).equals(httpVersionPrefix)) return 0;
  const end = bytes.indexOf(headEnd);
  return end === -1 ? 0 : end + headEnd.length;
}

/** Replaces the two socket methods by which undici takes bytes and puts back those that it cannot parse yet. */
function installRawReads(socket: RawSocket): void {
  const input = inputOf(socket);
  socket.read = (size?: number) => input.read(size);
  socket.unshift = (chunk: Buffer) => {
    input.unshift(chunk);
    return true;
  };
}

function inputOf(socket: RawSocket): SocketInput {
  socket[rawInput] ??= new SocketInput(socket);
  return socket[rawInput];
}
