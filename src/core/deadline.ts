import type { ChatError } from "./errors.js";

/** A signal that follows another one and also fires after a time; its timer ends with `clear`. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #followed: AbortSignal;
  readonly #follow = () => this.#controller.abort(this.#followed.reason);

  /** After so many milliseconds the signal fires with the error that `late` makes. */
  constructor(followed: AbortSignal, milliseconds: number, late: () => ChatError) {
    this.#followed = followed;
    if (followed.aborted) this.#follow();
    else followed.addEventListener("abort", this.#follow, { once: true });
    this.#timer = setTimeout(() => this.#controller.abort(late()), milliseconds);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#followed.removeEventListener("abort", this.#follow);
  }
}
