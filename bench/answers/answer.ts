/** One protocol's way to stream an answer, in bytes that are made beforehand as far as they can be. */
export type Protocol = {
  contentType: string;
  /** What comes before the first delta, for the answer with this number. */
  opening(number: number): Buffer;
  /** The delta with this index. */
  delta(index: number): Buffer;
  closing(number: number): Buffer;
};

export type ProtocolName = "connect" | "legacy" | "openai";

/** The first so many deltas of a protocol: each of them, and all in one piece. Made once. */
export type Deltas = { each: readonly Buffer[]; all: Buffer };

const made = new WeakMap<Protocol, Map<number, Deltas>>();

export function deltasOf(protocol: Protocol, count: number): Deltas {
  const known = made.get(protocol) ?? new Map<number, Deltas>();
  made.set(protocol, known);
  let deltas = known.get(count);
  if (!deltas) {
    const each = Array.from({ length: count }, (_, index) => protocol.delta(index));
    deltas = { each, all: Buffer.concat(each) };
    known.set(count, deltas);
  }
  return deltas;
}
