import { ChatError } from "./errors.js";

/** A signal that follows another one and also fires after a time; its timer ends with `clear`. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #followed: AbortSignal;
  readonly #follow = () => this.#controller.abort(this.#followed.reason);

  constructor(followed: AbortSignal, milliseconds: number) {
    this.#followed = followed;
    if (followed.aborted) this.#follow();
    else followed.addEventListener("abort", this.#follow, { once: true });
    const late = () =>
      this.#controller.abort(new ChatError("timeout", "The answer took too long and was stopped."));
    this.#timer = setTimeout(late, milliseconds);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#followed.removeEventListener("abort", this.#follow);
  }
}
