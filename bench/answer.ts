/** The answer that a prompt asks of the stand-in upstream. `pace`: milliseconds between deltas; 0: all of them at once. */
export type AnswerSpec = { pace: number; deltas: number };

/** The spec as a line of the prompt. `number` makes prompts differ; the length of the line does not depend on it. */
export function formatSpec({ pace, deltas }: AnswerSpec, number: number): string {
  return `bench pace=${pace} deltas=${deltas} n=${String(number).padStart(9, "0")}.`;
}

/** The last spec in a request's body; those before belong to its history. Throws if there is none. */
export function parseSpec(body: Buffer): AnswerSpec {
  const offset = Math.max(0, body.lastIndexOf("bench pace="));
  const line = body.toString("latin1", offset, offset + 80);
  const [, pace, deltas] = /^bench pace=(\d+) deltas=(\d+)/.exec(line) ?? [];
  if (deltas === undefined) throw new Error("a request came without a spec");
  return { pace: Number(pace), deltas: Number(deltas) };
}

/** The texts of deltas, in turn: as short as a model's tokens, in two languages, some with characters that JSON escapes. */
const texts = [
  ...["月", "亮", "桥", "，", " the", " moon", " bridge", "\n", "关于", " of", " relaying", ' "quoted"'],
  ...[" a", " stream", "的", "答案", "。", " It", " carries", " one", " piece", " at", " a time", "\t"],
];

/** The text of the delta with this index, from 0. */
export function deltaText(index: number): string {
  return texts[index % texts.length] ?? "";
}

/** The text of an answer of `deltas` deltas. */
export function answerText(deltas: number): string {
  return texts.join("").repeat(deltas / texts.length) + texts.slice(0, deltas % texts.length).join("");
}
