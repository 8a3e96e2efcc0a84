/** What a request asks of the fake upstream: `deltas` pieces, one each `pace` milliseconds, or all at once at 0. */
export type Order = { number: number; pace: number; deltas: number };

const pattern = /^bench n=(\d+) pace=(\d+) deltas=(\d+)/;

/** The order as a line of a prompt; always of the same length for the same pace and deltas. */
export function orderLine({ number, pace, deltas }: Order): string {
  return `bench n=${String(number).padStart(9, "0")} pace=${pace} deltas=${deltas}.`;
}

/** The last order in a request's body; a transcript holds earlier ones too. */
export function readOrder(body: Buffer): Order {
  const at = body.lastIndexOf("bench n=");
  const [, number, pace, deltas] = pattern.exec(body.toString("latin1", at, at + 80)) ?? [];
  if (at === -1 || deltas === undefined) throw new Error("a request came without an order");
  return { number: Number(number), pace: Number(pace), deltas: Number(deltas) };
}
