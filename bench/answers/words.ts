/** What the fake upstream says: short pieces as a model makes them, in two languages, some that JSON must escape. */
const pieces = [
  ...["月", "亮", "桥", "，", " the", " moon", " bridge", "\n", "关于", " of", " relaying", ' "quoted"'],
  ...[" a", " stream", "的", "答案", "。", " It", " carries", " one", " piece", " at", " a time", "\t"],
];

/** The piece of the answer with this index, from 0. */
export function wordAt(index: number): string {
  return pieces[index % pieces.length] ?? "";
}

/** The whole answer of so many deltas. */
export function wordsOf(deltas: number): string {
  return Array.from({ length: deltas }, (_, index) => wordAt(index)).join("");
}
