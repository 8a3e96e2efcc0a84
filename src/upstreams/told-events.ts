import { ChatError } from "../chat/errors.js";
import type { ChatEvent } from "../chat/types.js";
import type { EventDecoder } from "./event-decoder.js";

/** What makes sense of the data of events. */
export type EventReader = {
  /** True after the honest end. */
  readonly ended: boolean;
  /** Adds what the data means to `out`; false if it was a mere sign of life. Throws what the answer failed with. */
  read(data: string, out: ChatEvent[]): boolean | undefined;
};

/**
 * What a stream of events tells, in lots that one read of the socket brought; ends with the reader's end or with the
 * stream. What was told before a failure is not lost with it. `progress`: milliseconds of mere signs of life after
 * which `service` is given up. Throws ChatError.
 */
export async function* toldEvents(
  chunks: AsyncIterable<Buffer>,
  decoder: EventDecoder,
  reader: EventReader,
  { service, progress }: { service: string; progress: number },
): AsyncGenerator<readonly ChatEvent[]> {
  let heardAt = Date.now();
  for await (const chunk of chunks) {
    decoder.push(chunk);
    const { events, heard, failure } = readAll(decoder, reader);
    if (events.length > 0) yield events;
    if (failure) throw failure.cause;
    if (reader.ended) return;
    if (heard) heardAt = Date.now();
    else if (Date.now() - heardAt > progress) {
      throw new ChatError("timeout", `${service} kept the line open but stopped answering. Try again.`);
    }
  }
}

/** What the data that have arrived say, whether it was more than a sign of life, and the failure that they end in. */
export function readAll(decoder: EventDecoder, reader: EventReader) {
  const events: ChatEvent[] = [];
  let heard = false;
  try {
    while (!reader.ended) {
      const data = decoder.next();
      if (data === undefined) break;
      heard = reader.read(data, events) !== false || heard;
    }
    return { events, heard, failure: undefined };
  } catch (cause) {
    return { events, heard, failure: { cause } };
  }
}
