import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { deltasOf, type ProtocolName } from "../answers/answer.js";
import type { Order } from "../answers/order.js";
import { protocols } from "../answers/protocols.js";
import { now } from "../clock.js";
import { asChunk, lastChunk, MessageReader } from "../http/message-reader.js";
import { Pacer } from "./pacer.js";
import { type Reply, replyTo } from "./routes.js";

/**
 * The upstreams of the benchmark: answers made of bytes that are ready beforehand, one chunk of the body a delta, as
 * a service that flushes each delta sends them. Written straight to the socket, so that it is never the slowest.
 */
export class FakeUpstream {
  readonly #server: Server;
  readonly #pacer = new Pacer();
  #sent: Map<number, Float64Array> | undefined;

  constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port: 0, host: "127.0.0.1", backlog: 8_192 }, () =>
        resolve((this.#server.address() as AddressInfo).port),
      );
    });
  }

  /** Notes from now on when each delta of each answer is sent, by the answers' numbers. */
  record(): void {
    this.#sent = new Map();
  }

  /** What was noted; nothing is any more. */
  recorded(): ReadonlyMap<number, Float64Array> {
    const sent = this.#sent ?? new Map();
    this.#sent = undefined;
    return sent;
  }

  #serve(socket: Socket): void {
    let [method, path] = ["", ""];
    let body: Buffer[] = [];
    const reader = new MessageReader({
      head: (head) => {
        [method = "", path = ""] = head.split(" ", 2);
        body = [];
      },
      body: (chunk, start, end) => body.push(Buffer.from(chunk.subarray(start, end))),
      end: () => this.#reply(socket, replyTo(method, path, Buffer.concat(body))),
    });
    socket.on("data", (chunk) => reader.push(chunk));
    // Who leaves in the middle of an answer cuts the connection.
    socket.on("error", () => {});
  }

  #reply(socket: Socket, reply: Reply): void {
    if ("stream" in reply) {
      this.#stream(socket, reply.stream, reply.order);
      return;
    }
    const length = Buffer.byteLength(reply.json);
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
    socket.write(head + reply.json);
  }

  #stream(socket: Socket, name: ProtocolName, order: Order): void {
    const { contentType, opening, closing } = protocols[name];
    const head = `HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\ntransfer-encoding: chunked\r\n\r\n`;
    const { each, all } = chunksOf(name, order.deltas);
    const beginning = Buffer.concat([Buffer.from(head), asChunk(opening(order.number))]);
    const end = Buffer.concat([asChunk(closing(order.number)), lastChunk]);
    if (order.pace === 0) {
      socket.cork();
      socket.write(beginning);
      socket.write(all);
      socket.write(end);
      socket.uncork();
      return;
    }
    const sent = this.#sent && new Float64Array(order.deltas);
    if (sent) {
      this.#sent?.set(order.number, sent);
      sent[0] = now();
    }
    socket.write(Buffer.concat([beginning, each[0] ?? lastChunk]));
    this.#pacer.add({ socket, chunks: each, end, pace: order.pace, sent });
  }
}

type Chunks = { each: readonly Buffer[]; all: Buffer };

const made = new Map<string, Chunks>();

/** The deltas as chunks of a body, made once. */
function chunksOf(name: ProtocolName, count: number): Chunks {
  const key = `${name} ${count}`;
  let chunks = made.get(key);
  if (!chunks) {
    const each = deltasOf(protocols[name], count).each.map(asChunk);
    chunks = { each, all: Buffer.concat(each) };
    made.set(key, chunks);
  }
  return chunks;
}
