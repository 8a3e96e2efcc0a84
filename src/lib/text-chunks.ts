/** The position, or the one before it if a surrogate pair would be split there. In UTF-16 units, above 0. */
export function cutPosition(text: string, position: number): number {
  const last = text.charCodeAt(position - 1);
  return last >= 0xd800 && last <= 0xdbff ? position - 1 : position;
}

/** Splits a text into chunks of at most `length` UTF-16 units, above 1, without splitting a surrogate pair. */
export function* textChunks(text: string, length: number): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const to = from + length;
    const end = to < text.length ? cutPosition(text, to) : text.length;
    yield text.slice(from, end);
    from = end;
  }
}
