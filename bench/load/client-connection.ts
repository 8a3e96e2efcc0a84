import { connect, type Socket } from "node:net";
import { formatAnswerSpec } from "../answers/answer-spec.js";
import { now } from "../clock.js";
import { MessageReader } from "../http/message-reader.js";
import { type AnswerValidator, createValidator } from "./answer-validator.js";
import type { LoadProfile } from "./load-profile.js";
import type { LoadStatistics } from "./load-statistics.js";

/** The read buffer of all connections; what a read returns is processed before the next read. */
const readBuffer = Buffer.alloc(65_536);

/** A connection that requests one answer after the other and validates each. */
export class ClientConnection {
  readonly #profile: LoadProfile;
  readonly #statistics: LoadStatistics;
  readonly #onFinished: () => void;
  #socket: Socket | undefined;
  #reader = this.#createReader();
  #validator: AnswerValidator | undefined;
  #status = "";
  #answerNumber = 0;
  #countedDeltas = 0;
  #deltaTimes: Float64Array | undefined;
  #sentAt = 0;

  /** `onFinished` is called when `statistics.isStopping` is set and the last answer has ended, or after `abort`. */
  constructor(profile: LoadProfile, statistics: LoadStatistics, onFinished: () => void) {
    this.#profile = profile;
    this.#statistics = statistics;
    this.#onFinished = onFinished;
  }

  /** Requests the next answer, over a new connection if there is none. Finishes if the load is stopping. */
  sendRequest(): void {
    if (this.#statistics.isStopping) {
      this.abort();
      return;
    }
    const { target, pace, deltas, recordTimings } = this.#profile;
    this.#answerNumber = this.#statistics.nextAnswerNumber();
    this.#validator = createValidator(target.responseFormat, this.#answerNumber, deltas);
    this.#countedDeltas = 0;
    this.#deltaTimes = recordTimings ? new Float64Array(deltas) : undefined;
    const socket = this.#socket ?? this.#connect();
    this.#sentAt = now();
    socket.write(
      encodeRequest(this.#profile, formatAnswerSpec({ number: this.#answerNumber, pace, deltas })),
    );
    this.#statistics.openStreams++;
  }

  /** Closes the connection, even during an answer. */
  abort(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#endAnswer();
    socket?.destroy();
    this.#onFinished();
  }

  #connect(): Socket {
    this.#reader = this.#createReader();
    const socket = connect({
      port: this.#profile.target.port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length, bytes) => {
          this.#onData(bytes instanceof Buffer ? bytes : Buffer.from(bytes), length);
          return true;
        },
      },
    });
    socket.on("error", (error) => this.#fail(socket, error.message));
    socket.on("close", () => this.#fail(socket, "the connection was closed"));
    this.#socket = socket;
    return socket;
  }

  #onData(bytes: Buffer, length: number): void {
    if (!this.#socket) return;
    try {
      this.#reader.push(bytes.subarray(0, length));
      this.#countDeltas();
    } catch (error) {
      this.#fail(this.#socket, error instanceof Error ? error.message : String(error));
    }
  }

  /** Counts the deltas that the last read completed, and records their time of arrival. */
  #countDeltas(): void {
    const deltas = this.#validator?.deltas ?? 0;
    if (deltas === this.#countedDeltas) return;
    if (this.#deltaTimes) this.#deltaTimes.fill(now(), this.#countedDeltas, deltas);
    this.#statistics.deltas += deltas - this.#countedDeltas;
    this.#countedDeltas = deltas;
  }

  #createReader(): MessageReader {
    return new MessageReader({
      onHead: (head) => {
        this.#status = head.split(" ", 2)[1] ?? "";
      },
      onBody: (chunk, start, end) => {
        if (this.#status !== "200") {
          throw new Error(
            `status ${this.#status}: ${chunk.toString("utf8", start, Math.min(end, start + 500))}`,
          );
        }
        this.#validator?.push(chunk, start, end);
      },
      onEnd: () => {
        this.#validator?.end();
        this.#countDeltas();
        if (this.#deltaTimes)
          this.#statistics.recordTimings({
            answerNumber: this.#answerNumber,
            sentAt: this.#sentAt,
            deltaTimes: this.#deltaTimes,
          });
        this.#statistics.answers++;
        this.#endAnswer();
        if (this.#profile.pause > 0) setTimeout(() => this.sendRequest(), this.#profile.pause);
        else this.sendRequest();
      },
    });
  }

  /** Ends the current answer, if there is one. */
  #endAnswer(): void {
    if (this.#validator) this.#statistics.openStreams--;
    this.#validator = undefined;
  }

  #fail(socket: Socket, failure: string): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    socket.destroy();
    // A connection that is closed between two answers is opened again for the next one.
    if (!this.#validator) return;
    this.#endAnswer();
    this.#statistics.recordFailure(failure);
    setTimeout(() => this.sendRequest(), 100);
  }
}

/** The bytes of an HTTP request to the target, with this line in its prompt. */
function encodeRequest({ target }: LoadProfile, spec: string): Buffer {
  const body = Buffer.from(target.body[0] + spec + target.body[1]);
  const envelopeHeader = target.enveloped ? Buffer.from([0, 0, 0, 0, 0]) : Buffer.alloc(0);
  if (target.enveloped) envelopeHeader.writeUInt32BE(body.length, 1);
  const headers = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head =
    `POST ${target.path} HTTP/1.1\r\nhost: 127.0.0.1:${target.port}\r\n${headers.join("")}` +
    `content-length: ${envelopeHeader.length + body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), envelopeHeader, body]);
}
