import { JsonEnd } from "../tools/json-end.js";

/** What an answer that is a JSON object may begin with: a code fence, the bracket, and a key or the end. */
const beginning = /^\s*(?:`{3,}[a-z]{0,20}\s+)?(?=\{\s*["}])/i;
/** Characters in which it must begin. */
const beginningLength = 100;

/**
 * Reads how far an answer that begins with a JSON object is strictly valid JSON. So much can leave while the model still
 * writes: a repair of the rest does not change it.
 */
export class StrictBeginning {
  readonly #json = new JsonEnd();
  #state: "before" | "inside" | "over" = "before";
  #held = "";

  /** Reads on; returns what has become certain. */
  read(piece: string): string {
    if (this.#state === "over") return "";
    if (this.#state === "inside") return this.#readInside(piece);
    this.#held += piece;
    const head = beginning.exec(this.#held)?.[0];
    if (head !== undefined) {
      const object = this.#held.slice(head.length);
      this.#held = "";
      this.#state = "inside";
      return this.#readInside(object);
    }
    if (this.#held.length > beginningLength) this.#state = "over";
    return "";
  }

  /** One character at a time, so that the division of an answer into pieces does not matter. */
  #readInside(piece: string): string {
    let length = 0;
    while (length < piece.length && this.#state === "inside") {
      const end = this.#json.scan(piece.charAt(length));
      if (end !== -1 || !this.#json.isStrict) this.#state = "over";
      if (this.#json.isStrict) length++;
    }
    const valid = this.#held + piece.slice(0, length);
    const certain = this.#json.isInString ? valid.length : withoutTrailingComma(valid);
    this.#held = valid.slice(certain);
    return valid.slice(0, certain);
  }
}

/** The length without a comma at the end, which a repair would take out, and the white space around it. */
function withoutTrailingComma(text: string): number {
  const end = text.trimEnd().length;
  return text.charAt(end - 1) === "," ? end - 1 : end;
}
