import { asChatError, type ChatError } from "../chat/errors.js";
import type { ChatEvent } from "../chat/types.js";
import type { EventStream } from "./event-stream.js";

/** A dialect's way to write an answer as it comes. */
export type StreamEncoder = {
  /** Bytes for a lot of events; empty while nothing needs to leave yet. */
  encode(events: readonly ChatEvent[]): string;
  /** Bytes for a failure after the status line has left; nothing may look like a good end. */
  fail(error: ChatError): string;
};

/**
 * Relays an answer to a stream: one write for all that arrived together, as fast as the client takes it. A failure
 * before the first byte is thrown, for the status line; a later one is written into the stream and returned.
 */
export async function relay(
  answer: AsyncIterable<readonly ChatEvent[]>,
  encoder: StreamEncoder,
  stream: EventStream,
): Promise<ChatError | undefined> {
  try {
    for await (const events of answer) {
      const bytes = encoder.encode(events);
      if (events.at(-1)?.type === "finish") {
        stream.end(bytes);
        return undefined;
      }
      // Waiting for nothing would cost a turn for each delta.
      const full = bytes === "" ? undefined : stream.write(bytes);
      if (full) await full;
    }
    throw new Error("an answer ended without finish");
  } catch (thrown) {
    stream.stop();
    if (!stream.opened) throw thrown;
    const error = asChatError(thrown);
    stream.end(encoder.fail(error));
    return error;
  }
}
