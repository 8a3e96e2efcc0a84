import { GatewayError } from "../../core/errors.js";
import type { ChatEvent, EventSink } from "../../core/types.js";
import type { StreamReader } from "./response-stream.js";

/** Cuts bytes into pieces, however they were split on the way: `push` what arrived, take pieces until there is none. */
type Decoder<Piece> = { push(chunk: Buffer): void; next(): Piece | undefined };

/** What makes sense of the pieces. */
type Interpreter<Piece> = {
  /** True after the honest end. */
  readonly ended: boolean;
  /** Adds what the piece means to `out`; false if it was a mere sign of life. Throws what the answer failed with. */
  read(piece: Piece, out: ChatEvent[]): boolean | undefined;
};

/** How long an answer may be without progress (milliseconds), and who is to blame then. */
type Patience = { service: string; progress: number };

/** Tells what an answer says, bytes → pieces → events, in lots that one read of the socket brought. */
export class AnswerTeller<Piece> implements StreamReader {
  readonly #decoder: Decoder<Piece>;
  readonly #interpreter: Interpreter<Piece>;
  readonly #tell: EventSink;
  readonly #patience: Patience;
  /** When it first kept silent since it said something. */
  #silentSince: number | undefined;

  constructor(
    decoder: Decoder<Piece>,
    interpreter: Interpreter<Piece>,
    { tell, ...patience }: Patience & { tell: EventSink },
  ) {
    this.#decoder = decoder;
    this.#interpreter = interpreter;
    this.#tell = tell;
    this.#patience = patience;
  }

  get isOver(): boolean {
    return this.#interpreter.ended;
  }

  /** What was said before a failure is not lost with it. Throws the GatewayError that the answer ended with. */
  hear(chunks: readonly Buffer[]): Promise<void> | undefined {
    const events: ChatEvent[] = [];
    try {
      this.#read(chunks, events);
    } catch (failure) {
      return this.#tellLast(events, failure);
    }
    return events.length > 0 ? this.#tell(events) : undefined;
  }

  #read(chunks: readonly Buffer[], events: ChatEvent[]): void {
    let heard = false;
    for (const chunk of chunks) {
      this.#decoder.push(chunk);
      heard = readPieces(this.#decoder, this.#interpreter, events) || heard;
    }
    if (heard) {
      this.#silentSince = undefined;
      return;
    }
    this.#silentSince ??= Date.now();
    if (Date.now() - this.#silentSince > this.#patience.progress) {
      const { service } = this.#patience;
      throw new GatewayError("timeout", `${service} kept the line open but stopped answering. Try again.`);
    }
  }

  #tellLast(events: readonly ChatEvent[], failure: unknown): Promise<void> {
    const full = events.length > 0 ? this.#tell(events) : undefined;
    if (!full) throw failure;
    return full.then(() => {
      throw failure;
    });
  }
}

/** Reads the pieces that are there; true if one was more than a sign of life. */
export function readPieces<Piece>(
  decoder: Decoder<Piece>,
  interpreter: Interpreter<Piece>,
  events: ChatEvent[],
): boolean {
  let heard = false;
  while (!interpreter.ended) {
    const piece = decoder.next();
    if (piece === undefined) break;
    heard = interpreter.read(piece, events) !== false || heard;
  }
  return heard;
}
