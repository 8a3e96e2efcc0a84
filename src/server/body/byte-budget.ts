import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";

type Waiter = { bytes: number; admit(): void };

/**
 * Bytes of memory that requests share, first come, first served. A request takes bytes before it uses them and returns
 * them when it is over.
 */
export class ByteBudget {
  readonly #capacity: number;
  readonly #maxWait: number;
  readonly #waiters: Waiter[] = [];
  #used = 0;

  /** `maxWait`: milliseconds. */
  constructor(capacity: number, maxWait: number = limits.bodyWait) {
    this.#capacity = capacity;
    this.#maxWait = maxWait;
  }

  /** Whether a request waits for bytes that others hold. */
  get hasWaiters(): boolean {
    return this.#waiters.length > 0;
  }

  hasRoom(bytes: number): boolean {
    return this.#used + bytes <= this.#capacity;
  }

  /** Resolves when the bytes are taken. Rejects with `server_busy` after `maxWait`, or with the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiters.length === 0 && this.hasRoom(bytes)) {
      this.#used += bytes;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (error: unknown) => {
        const index = this.#waiters.indexOf(waiter);
        if (index !== -1) this.#waiters.splice(index, 1);
        end();
        reject(error);
        this.#admitWaiters();
      };
      const abort = () => leave(signal.reason);
      const timer = setTimeout(() => leave(serverBusyError()), this.#maxWait);
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      };
      const admit = () => {
        end();
        resolve();
      };
      const waiter: Waiter = { bytes, admit };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  return(bytes: number): void {
    this.#used -= bytes;
    this.#admitWaiters();
  }

  #admitWaiters(): void {
    for (let next = this.#waiters[0]; next; next = this.#waiters[0]) {
      if (!this.hasRoom(next.bytes)) return;
      this.#waiters.shift();
      this.#used += next.bytes;
      next.admit();
    }
  }
}

/** Other requests fill the memory for request bodies, and did not end in time. */
export function serverBusyError(): GatewayError {
  return new GatewayError(
    "server_busy",
    "Moonbridge is busy with other large requests. Try again in a moment.",
    { retryAfterSeconds: Math.ceil(limits.bodyWait / 1_000) },
  );
}
