import { type GatewayError, toGatewayError } from "../../core/errors.js";
import type { ChatEvent, EventSink } from "../../core/types.js";
import { type Body, chunksOf } from "./chunked-body.js";
import type { EventStream } from "./sse-response.js";

/** A dialect's way to write an answer as it comes. */
export type StreamEncoder = {
  /** Adds what a lot of events is to a client; nothing while nothing needs to leave yet. */
  encode(events: readonly ChatEvent[], body: Body): void;
  /** Adds a failure after the status line has left; nothing may look like a good end. */
  fail(error: GatewayError, body: Body): void;
};

/**
 * Relays an answer to a stream: one write for all that arrived together, as fast as the client takes it. A failure
 * before the first byte is thrown, for the status line; a later one is written into the stream and returned.
 */
export async function relay(
  answer: (tell: EventSink) => Promise<void>,
  encoder: StreamEncoder,
  stream: EventStream,
): Promise<GatewayError | undefined> {
  let finished = false;
  try {
    await answer((events) => {
      const chunks = chunksOf((body) => encoder.encode(events, body));
      finished = events.at(-1)?.type === "finish";
      if (!finished) return chunks.length === 0 ? undefined : stream.write(chunks);
      stream.end(chunks);
      return undefined;
    });
    if (!finished) throw new Error("an answer ended without finish");
    return undefined;
  } catch (thrown) {
    stream.stop();
    if (!stream.opened) throw thrown;
    const error = toGatewayError(thrown);
    stream.end(chunksOf((body) => encoder.fail(error, body)));
    return error;
  }
}
