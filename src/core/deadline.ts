import type { GatewayError } from "./errors.js";

/** A signal that follows another one and also fires after a time; its timer ends with `clear`. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #parent: AbortSignal;
  readonly #abortWithParent = () => this.#controller.abort(this.#parent.reason);

  /** After so many milliseconds the signal fires with the error that `late` makes. */
  constructor(parent: AbortSignal, milliseconds: number, createError: () => GatewayError) {
    this.#parent = parent;
    if (parent.aborted) this.#abortWithParent();
    else parent.addEventListener("abort", this.#abortWithParent, { once: true });
    this.#timer = setTimeout(() => this.#controller.abort(createError()), milliseconds);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#parent.removeEventListener("abort", this.#abortWithParent);
  }
}
