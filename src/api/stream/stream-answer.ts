import { type GatewayError, toGatewayError } from "../../core/errors.js";
import type { ChatEvent, EventSink, StartEvent } from "../../core/types.js";
import type { StreamResponse } from "./stream-response.js";
import { visibleErrorText } from "./visible-error.js";

/** Encodes a streamed answer in one dialect. */
export type StreamEncoder = {
  readonly contentType: string;
  /** Undefined until the first event. */
  readonly start: StartEvent | undefined;
  /** A batch of events in the client's form. May be empty, to let a later error set the HTTP status. */
  encode(events: readonly ChatEvent[]): string;
  /** Moonbridge's own words as a further piece of the answer's text, which every client of the dialect shows. */
  encodeText(text: string): string;
  /** A failure after the status line was sent; it must not look like a finished answer. */
  encodeError(error: GatewayError): string;
  /** What is sent in silence, which may also be before the first event; clients read over it. */
  encodeKeepAlive(): string;
};

/**
 * Streams an answer to the client, one write for each batch, with back-pressure. Throws a failure before the status
 * line; writes a later one into the stream and returns it, for the log. `visibleErrors`: writes it as text, too.
 */
export async function streamAnswer(
  answer: (sink: EventSink) => Promise<void>,
  encoder: StreamEncoder,
  stream: StreamResponse,
  { visibleErrors }: { visibleErrors: boolean },
): Promise<GatewayError | undefined> {
  let isFinished = false;
  try {
    await answer((events) => {
      const text = encoder.encode(events);
      isFinished = events.at(-1)?.type === "finish";
      if (!isFinished) return text === "" ? undefined : stream.write(text);
      stream.end(text);
      return undefined;
    });
    if (!isFinished) throw new Error("an answer ended without finish");
    return undefined;
  } catch (thrown) {
    stream.stopTimer();
    if (!stream.isHeadWritten) throw thrown;
    const error = toGatewayError(thrown);
    const words = visibleErrors ? encoder.encodeText(visibleErrorText(error)) : "";
    stream.end(words + encoder.encodeError(error));
    return error;
  }
}
