import { setMaxListeners } from "node:events";
import { Agent, type IncomingMessage, type RequestOptions, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { formatSpec } from "./answer.js";
import { AnswerValidator } from "./answer-validator.js";
import { type Dialect, type DialectName, dialects } from "./dialects.js";

/** Whom a request goes to, on 127.0.0.1. */
export type Target = { port: number; dialect: DialectName };
/** The load on a target. Times are in milliseconds. */
export type LoadOptions = {
  /** Concurrent clients; each sends its next request `pause` (default 0) after the end of the last answer. */
  streams: number;
  pause?: number;
  /** The time over which the first requests are spread. */
  rampUp: number;
  pace: number;
  deltas: number;
  /** By default answers are streamed. */
  stream?: boolean;
  /** The body of a request, with SPEC in place of the spec; by default the dialect's, with nothing else in its prompt. */
  body?: string;
};

export const apiKey = "bench-key";
const headers = { "content-type": "application/json", authorization: `Bearer ${apiKey}` };
let requestCount = 0;

/** Clients that request one answer after the other and validate each. The counts are those since `mark`. */
export class Load {
  readonly #target: Target;
  readonly #options: LoadOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #abort = new AbortController();
  readonly #clients: Promise<void>[];
  #isStopping = false;
  #markedAt = 0;
  answers = 0;
  deltas = 0;
  /** The times from request to first delta, of requests sent since `mark`. */
  firstDeltas: number[] = [];
  /** How much later than at its pace after the first delta each delta arrived; only of paced answers. */
  lateness: number[] = [];
  /** Since the start of the load. */
  wrongAnswers = 0;
  firstFailure = "";

  constructor(target: Target, options: LoadOptions) {
    this.#target = target;
    this.#options = options;
    setMaxListeners(0, this.#abort.signal);
    this.#clients = Array.from({ length: options.streams }, (_, index) => this.#runClient(index));
  }

  /** Starts to count anew. */
  mark(): void {
    [this.answers, this.deltas, this.firstDeltas, this.lateness] = [0, 0, [], []];
    this.#markedAt = performance.now();
  }

  /** Resolves when no answer is left: at the end of those that are being received, or after aborting them. */
  async stop({ abort }: { abort: boolean }): Promise<void> {
    this.#isStopping = true;
    if (abort) this.#abort.abort();
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  async #runClient(index: number): Promise<void> {
    const { rampUp, streams, pause = 0 } = this.#options;
    await setTimeout((rampUp * index) / streams);
    while (!this.#isStopping) {
      try {
        await this.#requestAnswer();
        this.answers++;
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        this.wrongAnswers++;
        this.firstFailure ||= String(error);
        await setTimeout(100);
      }
      if (pause > 0) await setTimeout(pause);
    }
  }

  async #requestAnswer(): Promise<void> {
    const { stream = true, body, ...spec } = this.#options;
    const dialect: Dialect = dialects[this.#target.dialect];
    const template = body ?? JSON.stringify(dialect.body("SPEC", stream));
    const validator = new AnswerValidator(dialect, { deltas: spec.deltas, stream });
    const answer = { validator, sentAt: performance.now(), firstAt: 0 };
    const prompted = template.replace("SPEC", formatSpec(spec, ++requestCount));
    const connection = { agent: this.#agent, signal: this.#abort.signal };
    const response = await post(this.#target, prompted, connection);
    if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${await text(response)}`);
    for await (const bytes of response) this.#receive(bytes, answer);
    validator.end();
  }

  #receive(bytes: Buffer, answer: { validator: AnswerValidator; sentAt: number; firstAt: number }): void {
    const { validator, sentAt } = answer;
    const before = validator.deltas;
    validator.push(bytes);
    if (validator.deltas === before) return;
    const [now, { pace }] = [performance.now(), this.#options];
    this.deltas += validator.deltas - before;
    if (before > 0 && pace > 0) this.lateness.push(now - answer.firstAt - pace * before);
    if (before > 0) return;
    answer.firstAt = now;
    if (sentAt >= this.#markedAt) this.firstDeltas.push(now - sentAt);
  }
}

/** Sends one request. Resolves with the response when its head has arrived. */
export function post({ port, dialect }: Target, body: string | Buffer, options: RequestOptions = {}) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const target = { host: "127.0.0.1", port, path: dialects[dialect].path, method: "POST", headers };
    request({ ...target, ...options }, resolve)
      .on("error", reject)
      .end(body);
  });
}
