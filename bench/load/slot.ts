import { connect, type Socket } from "node:net";
import { orderLine } from "../answers/order.js";
import { now } from "../clock.js";
import { MessageReader } from "../http/message-reader.js";
import { type AnswerCheck, checkFor } from "./check.js";
import type { Tally } from "./tally.js";
import type { Work } from "./work.js";

/** One buffer for what arrives on any connection: it is read at once, one after the other. */
const arrival = Buffer.alloc(65_536);

/** One connection that asks for answer after answer and checks each. */
export class Slot {
  readonly #work: Work;
  readonly #tally: Tally;
  readonly #over: () => void;
  #socket: Socket | undefined;
  #reader = this.#newReader();
  #check: AnswerCheck | undefined;
  #status = "";
  #number = 0;
  #counted = 0;
  #times: Float64Array | undefined;
  #askedAt = 0;

  /** `over` is called when it was told to stop and its last answer has ended. */
  constructor(work: Work, tally: Tally, over: () => void) {
    this.#work = work;
    this.#tally = tally;
    this.#over = over;
  }

  /** Asks for the next answer, over a new connection if there is none. */
  ask(): void {
    if (this.#tally.stopping) {
      this.cut();
      return;
    }
    const { target, pace, deltas, record } = this.#work;
    this.#number = this.#tally.nextNumber();
    this.#check = checkFor(target.reading, this.#number, deltas);
    this.#counted = 0;
    this.#times = record ? new Float64Array(deltas) : undefined;
    const socket = this.#socket ?? this.#connect();
    this.#askedAt = now();
    socket.write(requestBytes(this.#work, orderLine({ number: this.#number, pace, deltas })));
    this.#tally.open++;
  }

  /** Leaves, in the middle of an answer too. */
  cut(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#leave();
    socket?.destroy();
    this.#over();
  }

  #connect(): Socket {
    this.#reader = this.#newReader();
    const socket = connect({
      port: this.#work.target.port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: arrival,
        callback: (length, bytes) => {
          this.#read(bytes instanceof Buffer ? bytes : Buffer.from(bytes), length);
          return true;
        },
      },
    });
    socket.on("error", (error) => this.#fail(socket, error.message));
    socket.on("close", () => this.#fail(socket, "the connection was closed"));
    this.#socket = socket;
    return socket;
  }

  #read(bytes: Buffer, length: number): void {
    if (!this.#socket) return;
    try {
      this.#reader.push(bytes.subarray(0, length));
      this.#note();
    } catch (error) {
      this.#fail(this.#socket, error instanceof Error ? error.message : String(error));
    }
  }

  /** Notes the deltas that the last read completed. */
  #note(): void {
    const deltas = this.#check?.deltas ?? 0;
    if (deltas === this.#counted) return;
    if (this.#times) this.#times.fill(now(), this.#counted, deltas);
    this.#tally.deltas += deltas - this.#counted;
    this.#counted = deltas;
  }

  #newReader(): MessageReader {
    return new MessageReader({
      head: (head) => {
        this.#status = head.split(" ", 2)[1] ?? "";
      },
      body: (chunk, start, end) => {
        if (this.#status !== "200") {
          throw new Error(
            `status ${this.#status}: ${chunk.toString("utf8", start, Math.min(end, start + 500))}`,
          );
        }
        this.#check?.push(chunk, start, end);
      },
      end: () => {
        this.#check?.end();
        this.#note();
        if (this.#times) this.#tally.note({ number: this.#number, askedAt: this.#askedAt, at: this.#times });
        this.#tally.answers++;
        this.#leave();
        if (this.#work.rest > 0) setTimeout(() => this.ask(), this.#work.rest);
        else this.ask();
      },
    });
  }

  /** The answer that is on its way, if there is one, is over. */
  #leave(): void {
    if (this.#check) this.#tally.open--;
    this.#check = undefined;
  }

  #fail(socket: Socket, complaint: string): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    socket.destroy();
    // A connection that ends between two answers is simply opened again.
    if (!this.#check) return;
    this.#leave();
    this.#tally.complain(complaint);
    setTimeout(() => this.ask(), 100);
  }
}

function requestBytes({ target }: Work, order: string): Buffer {
  const body = Buffer.from(target.body[0] + order + target.body[1]);
  const framing = target.framed ? Buffer.from([0, 0, 0, 0, 0]) : Buffer.alloc(0);
  if (target.framed) framing.writeUInt32BE(body.length, 1);
  const headers = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head =
    `POST ${target.path} HTTP/1.1\r\nhost: 127.0.0.1:${target.port}\r\n${headers.join("")}` +
    `content-length: ${framing.length + body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), framing, body]);
}
