/**
 * The answer that the fake upstream is to send: `deltas` deltas, one every `pace` milliseconds, or all at once if `pace` is
 * 0. `number` identifies the answer in all processes of the benchmark. The load client sends it as a line of the prompt.
 */
export type AnswerSpec = { number: number; pace: number; deltas: number };

const linePattern = /^bench n=(\d+) pace=(\d+) deltas=(\d+)/;

/** The line of the prompt. Its length does not depend on the answer's number. */
export function formatAnswerSpec({ number, pace, deltas }: AnswerSpec): string {
  return `bench n=${String(number).padStart(9, "0")} pace=${pace} deltas=${deltas}.`;
}

/** Parses the last such line in a request's body; earlier ones belong to the transcript. Throws if there is none. */
export function parseAnswerSpec(body: Buffer): AnswerSpec {
  const offset = body.lastIndexOf("bench n=");
  const [, number, pace, deltas] = linePattern.exec(body.toString("latin1", offset, offset + 80)) ?? [];
  if (offset === -1 || deltas === undefined) throw new Error("a request came without an order");
  return { number: Number(number), pace: Number(pace), deltas: Number(deltas) };
}
