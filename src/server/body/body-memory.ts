import { getHeapStatistics } from "node:v8";
import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import { ByteBudget } from "./byte-budget.js";

/**
 * Memory for the bodies of all running requests, in three parts, so that a request is only ever held up by those of its
 * kind: bodies of at most `limits.smallBody` bytes, larger ones, and the values of bodies with unusually many.
 */
export class BodyMemory {
  readonly small: ByteBudget;
  readonly large: ByteBudget;
  readonly values: ByteBudget;

  constructor(bytes = defaultCapacity(), maxWait: number = limits.bodyWait) {
    // A single request of each kind is always possible.
    this.small = new ByteBudget(Math.max(limits.smallBody, bytes / 8), maxWait);
    this.large = new ByteBudget(Math.max(limits.requestBody, (bytes / 8) * 5), maxWait);
    this.values = new ByteBudget(Math.max(limits.bodyValues * limits.bodyValueBytes, bytes / 4), maxWait);
  }
}

/** A parsed body takes up to twice its bytes, and a copy while it is parsed: a quarter of the heap leaves room for them. */
function defaultCapacity(): number {
  return Math.min(limits.bodyMemory, getHeapStatistics().heap_size_limit / 4);
}

type Taken = { budget: ByteBudget; bytes: number };

/** The bytes that one request has taken from `BodyMemory`. */
export class BodyReservation {
  readonly #memory: BodyMemory;
  #forBody: Taken | undefined;
  #forValues: Taken | undefined;
  #isReleased = false;

  constructor(memory: BodyMemory) {
    this.#memory = memory;
  }

  /** Whether another request waits for the bytes that this one holds. */
  get isContended(): boolean {
    return this.#forBody?.budget.hasWaiters ?? false;
  }

  /** Takes bytes for the body, in place of those taken before. Rejects as `ByteBudget.take` does. */
  async takeForBody(bytes: number, signal: AbortSignal): Promise<void> {
    const budget = bytes <= limits.smallBody ? this.#memory.small : this.#memory.large;
    await this.#take({ budget, bytes }, signal);
    if (this.#forBody) giveBack(this.#forBody);
    this.#forBody = { budget, bytes };
  }

  /**
   * To be called once the body has arrived: gives back what it did not need, and takes what its values will need
   * beyond the usual. Rejects as `ByteBudget.take` does.
   */
  async takeForValues(bodyLength: number, values: number, signal: AbortSignal): Promise<void> {
    if (this.#forBody && bodyLength < this.#forBody.bytes) {
      this.#forBody.budget.return(this.#forBody.bytes - bodyLength);
      this.#forBody.bytes = bodyLength;
    }
    const bytes = values * limits.bodyValueBytes - usualOverhead * bodyLength;
    if (bytes <= 0) return;
    await this.#take({ budget: this.#memory.values, bytes }, signal);
    this.#forValues = { budget: this.#memory.values, bytes };
  }

  /** Gives back all bytes, also those that are still waited for. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.#forBody) giveBack(this.#forBody);
    if (this.#forValues) giveBack(this.#forValues);
  }

  async #take({ budget, bytes }: Taken, signal: AbortSignal): Promise<void> {
    await budget.take(bytes, signal);
    if (!this.#isReleased) return;
    budget.return(bytes);
    throw signal.aborted ? signal.reason : new GatewayError("cancelled", "The request is over.");
  }
}

/** The memory of parsed values in relation to the bytes of the body, up to which it is not counted. */
const usualOverhead = 3;

function giveBack({ budget, bytes }: Taken): void {
  budget.return(bytes);
}
