import { type GatewayError, toGatewayError } from "../../core/errors.js";
import type { ChatEvent, EventSink } from "../../core/types.js";
import { type ChunkWriter, encodeChunks } from "./chunk-writer.js";
import type { SseResponse } from "./sse-response.js";
import { visibleErrorText } from "./visible-error.js";

/** Encodes a streamed answer in one dialect. */
export type StreamEncoder = {
  /** Writes the client's form of a batch of events. May write nothing, to let a later error set the HTTP status. */
  encode(events: readonly ChatEvent[], output: ChunkWriter): void;
  /** Writes Moonbridge's own words as a further piece of the answer's text, which every client of the dialect shows. */
  encodeText(text: string, output: ChunkWriter): void;
  /** Writes a failure after the status line was sent; it must not look like a finished answer. */
  encodeError(error: GatewayError, output: ChunkWriter): void;
};

/**
 * Streams an answer to the client, one write for each batch, with back-pressure. Throws a failure before the status
 * line; writes a later one into the stream and returns it, for the log. `visibleErrors`: writes it as text, too.
 */
export async function streamAnswer(
  answer: (sink: EventSink) => Promise<void>,
  encoder: StreamEncoder,
  stream: SseResponse,
  { visibleErrors }: { visibleErrors: boolean },
): Promise<GatewayError | undefined> {
  let isFinished = false;
  try {
    await answer((events) => {
      const chunks = encodeChunks((output) => encoder.encode(events, output));
      isFinished = events.at(-1)?.type === "finish";
      if (!isFinished) return chunks.length === 0 ? undefined : stream.write(chunks);
      stream.end(chunks);
      return undefined;
    });
    if (!isFinished) throw new Error("an answer ended without finish");
    return undefined;
  } catch (thrown) {
    stream.stopTimer();
    if (!stream.isHeadWritten) throw thrown;
    const error = toGatewayError(thrown);
    stream.end(
      encodeChunks((output) => {
        if (visibleErrors) encoder.encodeText(visibleErrorText(error), output);
        encoder.encodeError(error, output);
      }),
    );
    return error;
  }
}
