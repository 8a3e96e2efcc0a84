import { asChatError, type ChatError } from "../chat/errors.js";
import type { ChatEvent, Listener } from "../chat/types.js";
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
  answer: (tell: Listener) => Promise<void>,
  encoder: StreamEncoder,
  stream: EventStream,
): Promise<ChatError | undefined> {
  let finished = false;
  try {
    await answer((events) => {
      const bytes = encoder.encode(events);
      finished = events.at(-1)?.type === "finish";
      if (!finished) return bytes === "" ? undefined : stream.write(bytes);
      stream.end(bytes);
      return undefined;
    });
    if (!finished) throw new Error("an answer ended without finish");
    return undefined;
  } catch (thrown) {
    stream.stop();
    if (!stream.opened) throw thrown;
    const error = asChatError(thrown);
    stream.end(encoder.fail(error));
    return error;
  }
}
