import { type GatewayError, toGatewayError } from "../../core/errors.js";
import type { ChatEvent, EventSink } from "../../core/types.js";
import { type ChunkWriter, encodeChunks } from "./chunk-writer.js";
import type { SseResponse } from "./sse-response.js";

/** Encodes a streamed answer in one dialect. */
export type StreamEncoder = {
  /** Writes what a batch of events is to the client; nothing as long as nothing has to be sent yet. */
  encode(events: readonly ChatEvent[], output: ChunkWriter): void;
  /** Writes a failure after the status line was sent; it must not look like a finished answer. */
  encodeError(error: GatewayError, output: ChunkWriter): void;
};

/**
 * Streams an answer to the client, one write for each batch, with back-pressure. A failure before the status line is
 * thrown; a later one is written into the stream and returned.
 */
export async function streamAnswer(
  answer: (sink: EventSink) => Promise<void>,
  encoder: StreamEncoder,
  stream: SseResponse,
): Promise<GatewayError | undefined> {
  let finished = false;
  try {
    await answer((events) => {
      const chunks = encodeChunks((output) => encoder.encode(events, output));
      finished = events.at(-1)?.type === "finish";
      if (!finished) return chunks.length === 0 ? undefined : stream.write(chunks);
      stream.end(chunks);
      return undefined;
    });
    if (!finished) throw new Error("an answer ended without finish");
    return undefined;
  } catch (thrown) {
    stream.stopTimer();
    if (!stream.headWritten) throw thrown;
    const error = toGatewayError(thrown);
    stream.end(encodeChunks((output) => encoder.encodeError(error, output)));
    return error;
  }
}
