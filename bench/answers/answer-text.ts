/** The texts of the deltas, in turn: as short as a model's tokens, in two languages, some with characters that JSON escapes. */
const deltaTexts = [
  ...["月", "亮", "桥", "，", " the", " moon", " bridge", "\n", "关于", " of", " relaying", ' "quoted"'],
  ...[" a", " stream", "的", "答案", "。", " It", " carries", " one", " piece", " at", " a time", "\t"],
];

/** The text of the delta with this index, from 0. */
export function deltaText(index: number): string {
  return deltaTexts[index % deltaTexts.length] ?? "";
}

/** The text of a whole answer of `deltas` deltas. */
export function answerText(deltas: number): string {
  return Array.from({ length: deltas }, (_, index) => deltaText(index)).join("");
}
