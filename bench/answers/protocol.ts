/** How a protocol streams an answer. Bytes that do not depend on the request are encoded once, ahead of the measurement. */
export type Protocol = {
  contentType: string;
  /** The bytes before the first delta of the answer with this number. */
  opening(answerNumber: number): Buffer;
  /** The delta with this index. */
  delta(index: number): Buffer;
  /** The bytes after the last delta of the answer with this number. */
  closing(answerNumber: number): Buffer;
};

export type ProtocolName = "connect" | "legacy" | "openai";

/** The first deltas of an answer in a protocol's bytes: one buffer a delta, and all of them in one buffer. */
export type EncodedDeltas = { pieces: readonly Buffer[]; concatenated: Buffer };

const deltaCache = new WeakMap<Protocol, Map<number, EncodedDeltas>>();

/** The first `count` deltas in the bytes of `protocol`; cached. */
export function encodedDeltas(protocol: Protocol, count: number): EncodedDeltas {
  const byCount = deltaCache.get(protocol) ?? new Map<number, EncodedDeltas>();
  deltaCache.set(protocol, byCount);
  let deltas = byCount.get(count);
  if (!deltas) {
    const pieces = Array.from({ length: count }, (_, index) => protocol.delta(index));
    deltas = { pieces, concatenated: Buffer.concat(pieces) };
    byCount.set(count, deltas);
  }
  return deltas;
}
