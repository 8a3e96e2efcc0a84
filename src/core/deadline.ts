import type { GatewayError } from "./errors.js";

/** An abort signal that fires with a parent signal or after a time. Call `clear` to release its timer and listener. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #parent: AbortSignal;
  readonly #abortWithParent = () => this.#controller.abort(this.#parent.reason);

  /** After `milliseconds` the signal fires with the error from `createError`. */
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
