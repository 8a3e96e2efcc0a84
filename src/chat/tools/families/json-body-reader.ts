import { JsonEnd } from "../json-end.js";
import { repairJson } from "../repair-arguments.js";
import { type CallReader, notACall } from "./call-reader.js";

/** Surplus closing brackets that are taken as a part of the body. */
const maxSurplusBrackets = 2;
/** Closing markers at which broken JSON is tried to be repaired. */
const maxAttempts = 3;

/**
 * Finds the end of a body that is a JSON object: where its depth is 0 and nothing but a marker or white space follows. Where
 * a quote that is not escaped has ended it too early, or where brackets are missing, the closing marker ends it.
 */
export class JsonBodyReader implements CallReader {
  readonly #json = new JsonEnd();
  readonly #closer: string;
  #text = "";
  /** The last characters of the text, as many as the closing marker has. */
  #tail = "";
  /** The length of the text where the depth was 0 for the first time. */
  #firstEnd: number | undefined;
  #surplus = 0;
  #attempts = 0;
  /** Characters that belong to no JSON follow its end: only the closing marker ends the body. */
  #needsCloser = false;

  /** `closer`: the family's closing marker, or empty. */
  constructor(closer: string) {
    this.#closer = closer;
  }

  get interpreted(): number {
    return this.#text.length;
  }

  /** What may be the JSON of the call, the likeliest text first. */
  get bodies(): string[] {
    if (this.#firstEnd === undefined) return [this.#withoutCloser()];
    const shortBody = this.#text.slice(0, this.#firstEnd);
    if (!this.#needsCloser) return [shortBody];
    return this.#isAtCloser() ? [this.#withoutCloser()] : [this.#text, shortBody];
  }

  read(piece: string): number {
    let position = 0;
    while (position < piece.length) {
      if (this.#firstEnd !== undefined) {
        const end = this.#readBehindEnd(piece.charAt(position));
        if (end === "end") return position;
        if (end === "not a call") return notACall;
        this.#append(piece.charAt(position++));
        if (this.#isAtCloser()) return position;
        continue;
      }
      const next = this.#readJson(piece, position);
      if (next.isEnd) return next.position;
      position = next.position;
    }
    return -1;
  }

  #readJson(piece: string, from: number): { position: number; isEnd: boolean } {
    // A closing marker ends with ">": between two of these nothing has to be compared.
    const bracket = this.#closer === "" ? -1 : piece.indexOf(">", from);
    const stop = bracket === -1 ? piece.length : bracket + 1;
    const part = piece.slice(from, stop);
    const end = this.#json.scan(part);
    if (end !== -1) {
      this.#append(part.slice(0, end));
      this.#firstEnd = this.#text.length;
      return { position: from + end, isEnd: false };
    }
    this.#append(part);
    return { position: stop, isEnd: this.#isAtCloser() && this.#endsAtCloser() };
  }

  #readBehindEnd(character: string): "end" | "goes on" | "not a call" {
    if (this.#needsCloser) return "goes on";
    if ("}]".includes(character) && this.#surplus < maxSurplusBrackets) {
      this.#surplus++;
      return "goes on";
    }
    if (/[\s<`~]/.test(character)) return "end";
    if (this.#closer === "") return "not a call";
    this.#needsCloser = true;
    return "goes on";
  }

  /** The text is compared by its tail: looking into the growing text would copy it each time. */
  #append(part: string): void {
    this.#text += part;
    if (this.#closer !== "") this.#tail = (this.#tail + part).slice(-this.#closer.length);
  }

  #isAtCloser(): boolean {
    return this.#closer !== "" && this.#tail === this.#closer;
  }

  #withoutCloser(): string {
    return this.#isAtCloser() ? this.#text.slice(0, -this.#closer.length) : this.#text;
  }

  /** Strict JSON goes on behind a marker in a string; broken JSON does so if it cannot be repaired up to here. */
  #endsAtCloser(): boolean {
    if (this.#json.isStrict) return false;
    if (!this.#json.isInString) return true;
    if (this.#attempts === maxAttempts) return false;
    this.#attempts++;
    return repairJson(this.#withoutCloser(), this.#closer) !== undefined;
  }
}
