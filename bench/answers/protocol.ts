/** How a protocol encodes a streamed answer. Deltas do not depend on the request, so they can be encoded in advance. */
export type Protocol = {
  /** The header `content-type` of the response. */
  contentType: string;
  /** The bytes before the first delta of the answer with this number. */
  opening(answerNumber: number, continued?: ContinuedChat): Buffer;
  /** The delta with this index, from 0. */
  delta(index: number): Buffer;
  /** The bytes after the last delta of the answer with this number. */
  closing(answerNumber: number): Buffer;
};

/** The chat that a request continues, and the message after which it does. */
export type ContinuedChat = { chat: string; parent: string };

export type ProtocolName = "connect" | "legacy" | "openai";

/** The first deltas of an answer in the bytes of a protocol: one buffer for each delta, and all of them in one buffer. */
export type EncodedDeltas = { buffers: readonly Buffer[]; concatenated: Buffer };

const deltaCache = new WeakMap<Protocol, Map<number, EncodedDeltas>>();

/** The first `count` deltas in the bytes of `protocol`; cached. */
export function encodedDeltas(protocol: Protocol, count: number): EncodedDeltas {
  const byCount = deltaCache.get(protocol) ?? new Map<number, EncodedDeltas>();
  deltaCache.set(protocol, byCount);
  let deltas = byCount.get(count);
  if (!deltas) {
    const buffers = Array.from({ length: count }, (_, index) => protocol.delta(index));
    deltas = { buffers, concatenated: Buffer.concat(buffers) };
    byCount.set(count, deltas);
  }
  return deltas;
}
