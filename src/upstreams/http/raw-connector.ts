import type { Socket } from "node:net";
import { buildConnector } from "undici";
import { limits } from "../../core/limits.js";
import { PlainChunks } from "./chunked-decoder.js";

/** Who reads the body of an answer in undici's place. */
export type BodyReader = {
  /** Takes what has arrived; false if no more may come until `resume`. */
  take(bytes: Buffer): boolean;
};

/** Where such a body comes from. */
export type BodySource = { resume(): void };

/** Where the system puts what it reads, for one socket after the other: each takes its own out at once. */
const landing = Buffer.allocUnsafeSlow(limits.socketRead);

/** What a head begins with, and what it ends with. */
const [version, emptyLine] = [Buffer.from("HTTP/1."), Buffer.from("\r\n\r\n")];

const inbox = Symbol("inbox");
type StraightSocket = Socket & { [inbox]?: Inbox };

/** Whose head undici is reading, from its first byte to its last, so that what follows is the body from its first. */
let headed: Inbox | undefined;

/**
 * Has the body of an answer go straight to its reader. To be called while undici tells of the head of an answer in
 * chunks; undefined where it comes by way of undici after all. Undici gets to see the head and the last chunk, and so
 * the answer's end, and nothing of what is in between.
 */
export function takeBody(reader: BodyReader): BodySource | undefined {
  return headed?.giveBody(reader);
}

/**
 * Connects sockets whose bytes go straight to undici, or past it. Node's stream would take new memory for each read,
 * queue what came and tell of it a tick later; undici would copy it into its parser and call back through five objects.
 */
export function straightConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector({ ...options, onread: { buffer: landing, callback: arrive } });
  return (to, callback) => {
    connect(to, (...result) => {
      const [, socket] = result;
      if (socket) straighten(socket);
      callback(...result);
    });
  };
}

/** Node calls it on the socket; false stops the reading. */
function arrive(this: StraightSocket, length: number): boolean {
  return inboxOf(this).arrive(length);
}

/** What has arrived on a socket and was not read yet. */
class Inbox implements BodySource {
  readonly #socket: Socket;
  readonly #goOn: () => void;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  /** The socket waits, with more bytes or with its end. */
  #isHeld = false;
  #body: { reader: BodyReader; chunks: PlainChunks } | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#goOn = socket.read.bind(socket, 0);
  }

  /** Takes what lies in the landing; false if no more may come. */
  arrive(length: number): boolean {
    return this.#body
      ? this.#tellReader(this.#body, landing, length)
      : this.#tellUndici(landing.subarray(0, length));
  }

  /** What a stream's `read` is for undici. Asked for nothing it is Node that wants to go on, or to tell of the end. */
  read(size: number | undefined): Buffer | null {
    const chunk = size === 0 ? undefined : this.#chunks.shift();
    this.#size -= chunk?.length ?? 0;
    if (chunk) return chunk;
    if (this.#chunks.length > 0) this.#isHeld = true;
    else if (size === 0 || (this.#isHeld && !this.#body)) this.#continue();
    return null;
  }

  putBack(chunk: Buffer): void {
    this.#chunks.unshift(chunk);
    this.#size += chunk.length;
  }

  giveBody(reader: BodyReader): BodySource {
    this.#body = { reader, chunks: new PlainChunks() };
    return this;
  }

  resume(): void {
    if (this.#isHeld && this.#chunks.length === 0) this.#continue();
  }

  #continue(): void {
    this.#isHeld = false;
    this.#goOn();
  }

  #tellReader(
    { reader, chunks }: { reader: BodyReader; chunks: PlainChunks },
    bytes: Buffer,
    length: number,
  ): boolean {
    const data = chunks.read(bytes, length);
    const goesOn = data === undefined || reader.take(data);
    if (chunks.isBroken) {
      this.#socket.destroy(new Error("A chunk does not end where its size says."));
      return false;
    }
    if (!chunks.rest) return this.#hold(!goesOn);
    this.#body = undefined;
    return this.#tellUndici(chunks.rest);
  }

  /** Tells undici what arrived, a head by itself, and whoever takes the body then of what follows. */
  #tellUndici(arrived: Buffer): boolean {
    for (let bytes = arrived; ; ) {
      const head = headOf(bytes);
      const isNext = this.#chunks.length === 0;
      this.#add(bytes.subarray(0, head || bytes.length));
      headed = head > 0 && isNext ? this : undefined;
      try {
        this.#socket.emit("readable");
      } finally {
        headed = undefined;
      }
      if (head === 0 || head === bytes.length || this.#socket.destroyed) break;
      bytes = bytes.subarray(head);
      if (this.#body) return this.#tellReader(this.#body, bytes, bytes.length);
    }
    return this.#hold(this.#size >= limits.socketRead);
  }

  #hold(isFull: boolean): boolean {
    this.#isHeld ||= isFull;
    return !isFull;
  }

  #add(bytes: Buffer): void {
    this.#chunks.push(Buffer.from(bytes));
    this.#size += bytes.length;
  }
}

/** The length of a head that these bytes begin with; 0 where there is none, or not all of it. */
function headOf(bytes: Buffer): number {
  if (!bytes.subarray(0, version.length).equals(version)) return 0;
  const end = bytes.indexOf(emptyLine);
  return end === -1 ? 0 : end + emptyLine.length;
}

/** Gives the socket the two methods by which undici takes bytes, and puts back what it cannot take yet. */
function straighten(socket: StraightSocket): void {
  const own = inboxOf(socket);
  socket.read = (size?: number) => own.read(size);
  socket.unshift = (chunk: Buffer) => {
    own.putBack(chunk);
    return true;
  };
}

function inboxOf(socket: StraightSocket): Inbox {
  socket[inbox] ??= new Inbox(socket);
  return socket[inbox];
}
