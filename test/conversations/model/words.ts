/**
 * Words that belong to one owner, a conversation or an assistant, and occur nowhere else; so a text shows whose it is.
 * They contain CANARY, so that the check of the logs covers them.
 */
export type Owner = `${"c" | "a"}${number}`;

const pattern = /CANARY([ca]\d+)x\d+/g;

/** Creates the words of one owner; each is new. */
export class WordSource {
  readonly owner: Owner;
  #count = 0;

  constructor(owner: Owner) {
    this.owner = owner;
  }

  next(): string {
    this.#count += 1;
    return `CANARY${this.owner}x${this.#count}`;
  }
}

/** The owned words of a text, in order. */
export function wordsOf(text: string): string[] {
  return text.match(pattern) ?? [];
}

export function ownerOf(word: string): string {
  return /[ca]\d+/.exec(word)?.[0] ?? "";
}
