/** A text without line breaks, which stand for the beginning of another entry in what the model reads. */
export function oneLine(text: string): string {
  const lines = text.split(/[\r\n\u2028\u2029]+/).map((line) => line.trim());
  return lines.filter((line) => line !== "").join(" ");
}

/** The beginning of a text, at most so many characters with the `…` at its end; no surrogate pair is split. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = length - 1;
  const isSplit = /[\ud800-\udbff]/.test(text.charAt(end - 1));
  return `${text.slice(0, isSplit ? end - 1 : end)}…`;
}
