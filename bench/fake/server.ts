import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { encodedDeltas, type ProtocolName } from "../answers/protocol.js";
import { protocols } from "../answers/protocols.js";
import { now } from "../clock.js";
import { encodeChunk, lastChunk, MessageReader } from "../http/message-reader.js";
import { Pacer } from "./pacer.js";
import { type FakeResponse, respondTo } from "./routes.js";

/**
 * The upstreams of the benchmark. Answers are encoded ahead of time, one chunk of the body per delta, as a service that
 * flushes each delta sends them. They are written straight to the socket, so that the upstream is never the bottleneck.
 */
export class FakeUpstream {
  readonly #server: Server;
  readonly #pacer = new Pacer();
  #sendTimes: Map<number, Float64Array> | undefined;

  constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#handleConnection(socket));
  }

  /** Starts listening on 127.0.0.1 and returns the port. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port: 0, host: "127.0.0.1", backlog: 8_192 }, () =>
        resolve((this.#server.address() as AddressInfo).port),
      );
    });
  }

  /** Starts recording when each delta of each paced answer is sent. */
  startRecording(): void {
    this.#sendTimes = new Map();
  }

  /** Stops recording and returns the send times (`clock.ts`) of the deltas, by answer number. */
  takeSendTimes(): ReadonlyMap<number, Float64Array> {
    const sendTimes = this.#sendTimes ?? new Map();
    this.#sendTimes = undefined;
    return sendTimes;
  }

  #handleConnection(socket: Socket): void {
    let [method, path] = ["", ""];
    let body: Buffer[] = [];
    const reader = new MessageReader({
      onHead: (head) => {
        [method = "", path = ""] = head.split(" ", 2);
        body = [];
      },
      onBody: (chunk, start, end) => body.push(Buffer.from(chunk.subarray(start, end))),
      onEnd: () => this.#respond(socket, respondTo(method, path, Buffer.concat(body))),
    });
    socket.on("data", (chunk) => reader.push(chunk));
    // A client that aborts an answer resets the connection.
    socket.on("error", () => {});
  }

  #respond(socket: Socket, response: FakeResponse): void {
    if ("stream" in response) {
      this.#stream(socket, response);
      return;
    }
    const length = Buffer.byteLength(response.json);
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
    socket.write(head + response.json);
  }

  #stream(socket: Socket, { stream: name, spec, continued }: StreamResponse): void {
    const { contentType, opening, closing } = protocols[name];
    const head = `HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\ntransfer-encoding: chunked\r\n\r\n`;
    const { chunks, concatenated } = deltaChunks(name, spec.deltas);
    const headAndOpening = Buffer.concat([Buffer.from(head), encodeChunk(opening(spec.number, continued))]);
    const end = Buffer.concat([encodeChunk(closing(spec.number)), lastChunk]);
    if (spec.pace === 0) {
      socket.cork();
      socket.write(headAndOpening);
      socket.write(concatenated);
      socket.write(end);
      socket.uncork();
      return;
    }
    const sendTimes = this.#sendTimes && new Float64Array(spec.deltas);
    if (sendTimes) {
      this.#sendTimes?.set(spec.number, sendTimes);
      sendTimes[0] = now();
    }
    socket.write(Buffer.concat([headAndOpening, chunks[0] ?? lastChunk]));
    this.#pacer.add({ socket, chunks, end, pace: spec.pace, sendTimes });
  }
}

type StreamResponse = Extract<FakeResponse, { stream: ProtocolName }>;

/** One buffer for each delta, and all of them in one buffer. */
type DeltaChunks = { chunks: readonly Buffer[]; concatenated: Buffer };

const chunkCache = new Map<string, DeltaChunks>();

/** The first `count` deltas, each as a chunk of a chunked body; cached. */
function deltaChunks(name: ProtocolName, count: number): DeltaChunks {
  const key = `${name} ${count}`;
  let encoded = chunkCache.get(key);
  if (!encoded) {
    const chunks = encodedDeltas(protocols[name], count).buffers.map(encodeChunk);
    encoded = { chunks, concatenated: Buffer.concat(chunks) };
    chunkCache.set(key, encoded);
  }
  return encoded;
}
