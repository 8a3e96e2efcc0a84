import type { FastifyReply } from "fastify";
import { limits } from "../../core/limits.js";
import { encodeJson, eventStreamType } from "../stream/stream-json.js";
import { defaultStreamTimeouts, StreamResponse } from "../stream/stream-response.js";

/** A stream of named server-sent events to a client of the console's API. A client that does not read is disconnected. */
export class EventStream {
  readonly #reply: FastifyReply;
  readonly #stream: StreamResponse;

  /** Sends the status line and the advice to connect again soon after a loss. */
  constructor(reply: FastifyReply) {
    this.#reply = reply;
    this.#stream = new StreamResponse(reply.raw, defaultStreamTimeouts, {
      contentType: eventStreamType,
      headers: () => {
        reply.hijack();
        const headers = Object.entries(reply.getHeaders());
        return Object.fromEntries(headers.map(([name, value]) => [name, String(value)]));
      },
      keepAlive: () => ": keep-alive\n\n",
    });
    void this.#stream.write("retry: 2000\n\n");
  }

  send(name: string, data: object): void {
    const { raw } = this.#reply;
    if (raw.destroyed) return;
    if (raw.writableLength > limits.activityBuffer) raw.destroy();
    else void this.#stream.write(`event: ${name}\ndata: ${encodeJson(data)}\n\n`);
  }

  end(): void {
    if (!this.#reply.raw.destroyed) this.#stream.end("");
    this.#stream.stopTimer();
  }
}
