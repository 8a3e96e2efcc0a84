/**
 * The answer that a request asks of the fake upstream, as a line of its prompt: `deltas` deltas, one every `pace`
 * milliseconds, all at once if `pace` is 0. `number` identifies the answer in all processes of the benchmark.
 */
export type AnswerSpec = { number: number; pace: number; deltas: number };

const linePattern = /^bench n=(\d+) pace=(\d+) deltas=(\d+)/;

/** The line of the prompt. Its length does not depend on the number. */
export function formatAnswerSpec({ number, pace, deltas }: AnswerSpec): string {
  return `bench n=${String(number).padStart(9, "0")} pace=${pace} deltas=${deltas}.`;
}

/** Reads the last such line of a request's body, since a transcript holds earlier ones too. Throws if there is none. */
export function parseAnswerSpec(body: Buffer): AnswerSpec {
  const offset = body.lastIndexOf("bench n=");
  const [, number, pace, deltas] = linePattern.exec(body.toString("latin1", offset, offset + 80)) ?? [];
  if (offset === -1 || deltas === undefined) throw new Error("a request came without an order");
  return { number: Number(number), pace: Number(pace), deltas: Number(deltas) };
}
