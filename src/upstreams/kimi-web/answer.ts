import { ChatError } from "../../chat/errors.js";
import type { ChatEvent } from "../../chat/types.js";
import { limits } from "../../config/limits.js";
import type { AnswerStream } from "../answer-stream.js";
import type { ChatInterpreter } from "./events.js";
import { FrameDecoder } from "./frames.js";

/** The answer to one `Chat` call: bytes → frames → events. */
export class Answer {
  readonly #stream: AnswerStream;
  readonly #interpreter: ChatInterpreter;
  readonly #decoder = new FrameDecoder(limits.frame);
  readonly #patience: number;
  #heardAt = Date.now();
  #failure: { cause: unknown } | undefined;

  /** `patience`: milliseconds of heartbeats alone after which it is given up. */
  constructor(stream: AnswerStream, interpreter: ChatInterpreter, patience: number) {
    this.#stream = stream;
    this.#interpreter = interpreter;
    this.#patience = patience;
  }

  /** Waits for more; false when nothing more comes. Throws the ChatError that the answer ended with. */
  more(): boolean | Promise<boolean> {
    if (this.#failure) throw this.#failure.cause;
    return !this.#interpreter.ended && this.#stream.more();
  }

  /** What one read of the socket brought; what was said before a failure is not lost with it. */
  read(): ChatEvent[] {
    const events: ChatEvent[] = [];
    try {
      if (this.#hear(events)) this.#heardAt = Date.now();
      else if (Date.now() - this.#heardAt > this.#patience) {
        throw new ChatError("timeout", "Kimi kept the line open but stopped answering. Try again.");
      }
    } catch (cause) {
      this.#failure = { cause };
    }
    return events;
  }

  /** Nothing more comes: throws where that is not the honest end. */
  end(): void {
    if (!this.#interpreter.ended) {
      throw new ChatError("upstream_cut", "Kimi's stream ended in the middle of the answer.");
    }
  }

  /** Lets go of the connection; the ids of an answer that Kimi has not ended. */
  close(): { chat: string; message: string } | undefined {
    this.#stream.close(this.#interpreter.ended);
    return this.#interpreter.running;
  }

  #hear(events: ChatEvent[]): boolean {
    let heard = false;
    for (const chunk of this.#stream.take()) {
      this.#decoder.push(chunk);
      while (!this.#interpreter.ended) {
        const frame = this.#decoder.next();
        if (!frame) break;
        heard = this.#interpreter.read(frame, events) || heard;
      }
    }
    return heard;
  }
}
