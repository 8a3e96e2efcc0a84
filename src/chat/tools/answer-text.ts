import type { ChatEvent } from "../../core/types.js";
import { refusalState } from "./injection-refusal.js";

/**
 * The text of an answer that may have calls. It is withheld while the client may have no use for it: where a call is forced
 * or an earlier answer's text was sent, until the first call; and while it may refuse the prompt as an injection.
 */
export class AnswerText {
  readonly #isWithheld: boolean;
  #mayBeRefusal: boolean;
  #text = "";
  /** Citations behind text that is not emitted yet. */
  #citations: ChatEvent[] = [];
  /** Whether text that is more than white space was emitted. */
  isEmitted = false;

  constructor({ isWithheld, mayBeRefusal }: { isWithheld: boolean; mayBeRefusal: boolean }) {
    this.#isWithheld = isWithheld;
    this.#mayBeRefusal = mayBeRefusal;
  }

  /** Whether the answer so far refuses the prompt as an injection. */
  get isRefusal(): boolean {
    return this.#mayBeRefusal && refusalState(this.#text) === "yes";
  }

  /** Whether there is text that was not emitted. */
  get isPending(): boolean {
    return this.#text !== "";
  }

  /** Reads on; returns what is to be emitted. */
  read(text: string): ChatEvent[] {
    this.#text += text;
    if (this.#mayBeRefusal && refusalState(this.#text) === "no") this.#mayBeRefusal = false;
    return this.#isWithheld || this.#mayBeRefusal ? [] : this.release();
  }

  /** `isTextHeld`: text in front of it is still held elsewhere. */
  readCitation(citation: ChatEvent, isTextHeld: boolean): ChatEvent[] {
    if (!this.isPending && !isTextHeld) return [citation];
    this.#citations.push(citation);
    return [];
  }

  /** All that was withheld. */
  release(): ChatEvent[] {
    this.#mayBeRefusal = false;
    if (this.#text === "") return [];
    const events: ChatEvent[] = [{ type: "text", text: this.#text }, ...this.#citations];
    this.isEmitted ||= this.#text.trim() !== "";
    this.#text = "";
    this.#citations = [];
    return events;
  }

  /** The same at the end of the answer, `prefix` in front of it. */
  releaseAll(prefix: string): ChatEvent[] {
    if (this.#text !== "") this.#text = prefix + this.#text;
    const events = [...this.release(), ...this.#citations];
    this.#citations = [];
    return events;
  }

  /** Adds text to what is released at the end. */
  append(text: string): void {
    this.#text += text;
  }

  /** Drops what was withheld. */
  discard(): void {
    this.#text = "";
  }
}
