/** Nesting of arrays and objects in a call's JSON; deeper JSON counts as broken. */
const maxDepth = 200;
/** Characters of a number or literal. */
const maxScalarLength = 400;
const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** What numbers and literals, and words that are none, consist of. */
const scalarCharacters = new Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-");

/** What may come next outside of a string, a number and a literal. */
type Expected = "value" | "value or ]" | "key or }" | "key" | ":" | ", or end";

const quote = '"';
/** What stands for itself in a string. */
const plainCharacters = /[ !#-[\]-\uffff]+/y;
const closingQuotes: Record<string, string> = { "'": "'", "“": "”", "‘": "’", "„": "”", "”": "”" };

/**
 * Finds the end of a JSON object, array or string in a text that comes in pieces: where its depth is 0 again, brackets inside
 * strings not counted. `isStrict` is false from the first character on that JSON does not allow; from there on, quotes and
 * brackets are counted as well as possible.
 */
export class JsonEnd {
  isStrict = true;
  /** The open brackets. */
  readonly #stack: string[] = [];
  #expected: Expected = "value";
  /** The quote that ends the open string. */
  #endQuote: string | undefined;
  #isKey = false;
  /** An unfinished escape sequence. */
  #sequence = "";
  #scalar = "";
  /** The last character outside of strings that is not white space. */
  #last = "";

  get depth(): number {
    return this.#stack.length;
  }

  get isInString(): boolean {
    return this.#endQuote !== undefined;
  }

  /** Scans on. Returns the position behind the end, or -1. `endDepth`: where the depth at which it ends is not 0. */
  scan(piece: string, from = 0, endDepth = 0): number {
    for (let position = from; position < piece.length; position++) {
      if (this.#endQuote === quote && this.#sequence === "") {
        plainCharacters.lastIndex = position;
        if (plainCharacters.test(piece)) position = plainCharacters.lastIndex;
        if (position >= piece.length) return -1;
      }
      const character = piece.charAt(position);
      if (this.#endQuote !== undefined) {
        this.#scanString(character);
        if (this.depth === 0 && !this.isInString) return position + 1;
      } else if (this.#scanOutside(character, endDepth)) return position + 1;
    }
    return -1;
  }

  #scanString(character: string): void {
    if (this.#sequence !== "") {
      this.#scanSequence(character);
    } else if (character === "\\") {
      this.#sequence = character;
    } else if (character === this.#endQuote) {
      this.#endQuote = undefined;
      this.#last = quote;
      this.#expected = this.#isKey ? ":" : ", or end";
    } else if (character < " ") {
      this.isStrict = false;
    }
  }

  #scanSequence(character: string): void {
    const sequence = this.#sequence + character;
    this.#sequence = "";
    if (sequence.length === 2) {
      if (character === "u") this.#sequence = sequence;
      else if (!'"\\/bfnrt'.includes(character)) this.isStrict = false;
    } else if (!/[0-9a-f]/i.test(character)) {
      this.isStrict = false;
      this.#scanString(character);
    } else if (sequence.length < 6) {
      this.#sequence = sequence;
    }
  }

  /** Returns whether the JSON ends with this character. */
  #scanOutside(character: string, endDepth: number): boolean {
    if (isWhiteSpace(character)) {
      this.#endScalar();
      return false;
    }
    if (scalarCharacters.has(character)) {
      this.#addToScalar(character);
      this.#last = character;
      return false;
    }
    this.#endScalar();
    const isEnd = this.#scanStructure(character, endDepth);
    this.#last = character;
    return isEnd;
  }

  #scanStructure(character: string, endDepth: number): boolean {
    switch (character) {
      case quote:
        this.#openString(character);
        return false;
      case "{":
      case "[":
        this.#require(this.#expected.startsWith("value") && this.depth < maxDepth);
        this.#stack.push(character);
        this.#expected = character === "{" ? "key or }" : "value or ]";
        return false;
      case "}":
      case "]": {
        const isAllowed = this.#expected === ", or end" || this.#expected.endsWith(character);
        const opening = this.#stack.pop();
        this.#require(isAllowed && (opening === "{") === (character === "}"));
        this.#expected = ", or end";
        return this.depth <= endDepth;
      }
      case ":":
        this.#require(this.#expected === ":");
        this.#expected = "value";
        return false;
      case ",":
        this.#require(this.#expected === ", or end");
        this.#expected = this.#stack.at(-1) === "{" ? "key" : "value";
        return false;
      default:
        this.isStrict = false;
        // Quotes of other languages and of typography, where a string may begin.
        if ("{[,:".includes(this.#last)) this.#endQuote = closingQuotes[character];
        return false;
    }
  }

  #openString(character: string): void {
    const isKey = this.#expected.startsWith("key");
    this.#require(isKey || this.#expected.startsWith("value"));
    this.#isKey = isKey;
    this.#endQuote = character;
  }

  #addToScalar(character: string): void {
    if (this.#scalar === "") this.#require(this.#expected.startsWith("value"));
    if (this.#scalar.length < maxScalarLength) this.#scalar += character;
    else this.isStrict = false;
    this.#expected = ", or end";
  }

  #endScalar(): void {
    if (this.#scalar === "") return;
    this.#require(scalar.test(this.#scalar));
    this.#scalar = "";
  }

  #require(isAllowed: boolean): void {
    if (!isAllowed) this.isStrict = false;
  }
}

/** The white space of JSON. */
function isWhiteSpace(character: string): boolean {
  return character === " " || character === "\n" || character === "\r" || character === "\t";
}
