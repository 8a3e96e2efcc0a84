import type { Socket } from "node:net";
import { buildConnector } from "undici";
import { limits } from "../config/limits.js";

/** Where the system puts what it reads, for one socket after the other: each takes its own out at once. */
const landing = Buffer.allocUnsafeSlow(limits.socketRead);

const inbox = Symbol("inbox");
type StraightSocket = Socket & { [inbox]?: Inbox };

/** What has arrived on a socket and was not read yet. */
class Inbox {
  readonly #chunks: Buffer[] = [];
  #size = 0;
  /** The socket waits, with more bytes or with its end, until all of this is read. */
  isHeld = false;

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  get isFull(): boolean {
    return this.#size >= limits.socketRead;
  }

  add(bytes: Uint8Array): void {
    const chunk = Buffer.allocUnsafe(bytes.length);
    chunk.set(bytes);
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  take(): Buffer | undefined {
    const chunk = this.#chunks.shift();
    this.#size -= chunk?.length ?? 0;
    return chunk;
  }

  putBack(chunk: Buffer): void {
    this.#chunks.unshift(chunk);
    this.#size += chunk.length;
  }
}

/**
 * Connects sockets whose bytes go straight to undici. Node's stream would take new memory for each read, queue what came
 * and tell of it a tick later; among many streams that is a twentieth of all that a delta costs.
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
function arrive(this: StraightSocket, length: number, buffer: Uint8Array): boolean {
  const own = inboxOf(this);
  own.add(buffer.subarray(0, length));
  this.emit("readable");
  if (!own.isFull) return true;
  own.isHeld = true;
  return false;
}

/** Gives the socket the two methods by which undici takes bytes, and puts back what it cannot take yet. */
function straighten(socket: StraightSocket): void {
  const own = inboxOf(socket);
  const goOn = socket.read.bind(socket, 0);
  socket.read = (size?: number) => {
    // Asked for nothing it is Node that wants to go on reading, or to tell of the end.
    const chunk = size === 0 ? undefined : own.take();
    if (chunk) return chunk;
    if (!own.isEmpty) own.isHeld = true;
    else if (size === 0 || own.isHeld) {
      own.isHeld = false;
      goOn();
    }
    return null;
  };
  socket.unshift = (chunk: Buffer) => {
    own.putBack(chunk);
    return true;
  };
}

function inboxOf(socket: StraightSocket): Inbox {
  socket[inbox] ??= new Inbox();
  return socket[inbox];
}
