import { randomUUID } from "node:crypto";
import type { SharedPause, SharedSlots, SlotEvent } from "../core/shared-slots.js";
import { type Slot, SlotQueue, type SlotQueueOptions, type SlotSource } from "../lib/slot-queue.js";
import { SlotPlace } from "./slot-place.js";

export type SharedSlotQueueOptions = SlotQueueOptions & {
  slots: SharedSlots;
  /** The name of the pool, the same in all processes. */
  pool: string;
  /** Called when any process has paused the pool. */
  onPaused: (pause: SharedPause) => void;
  /** Called when slots in use had expired, so that others may have been given out beside them. */
  onLost: (count: number) => void;
};

/**
 * A queue for slots that all processes of a service share. While the store cannot be reached, this process gives out slots
 * by itself, at most as many as there are; they are counted again as soon as the store is back.
 */
export class SharedSlotQueue implements SlotSource {
  readonly #options: SharedSlotQueueOptions;
  readonly #local: SlotQueue;
  /** By id: the slots in use, and the callers that wait. */
  readonly #places = new Map<string, SlotPlace>();
  /** Ids that could not be given back to the store; they would count there until they expire. */
  readonly #unreleased = new Set<string>();
  #serviceTime = 10_000;
  #renewal: NodeJS.Timeout | undefined;
  #subscription: Promise<() => void> | undefined;

  constructor(options: SharedSlotQueueOptions) {
    this.#options = options;
    this.#local = new SlotQueue({ ...options, onWait: () => {} });
  }

  get running(): number {
    return this.#idsOf("held").length;
  }

  get waiting(): number {
    return this.#idsOf("waiting").length;
  }

  async acquire(key: string, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const id = randomUUID();
    const { depth, maxWait } = this.#options.waitLimits();
    const place = new SlotPlace(key);
    this.#places.set(id, place);
    const leave = () => this.#leave(id);
    const timeout = setTimeout(() => place.fail(this.#busyError("too slow")), maxWait);
    const onAbort = () => place.fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#renewLater();
    void this.#request(id, place, depth);
    try {
      await place.granted;
    } catch (error) {
      leave();
      throw error;
    } finally {
      clearTimeout(timeout);
      signal.removeEventListener("abort", onAbort);
    }
    const startedAt = performance.now();
    return {
      release: () => {
        if (!this.#places.has(id)) return;
        this.#serviceTime += (performance.now() - startedAt - this.#serviceTime) * serviceTimeWeight;
        leave();
      },
    };
  }

  /** Only the store knows how many wait. */
  throwIfFull(): void {}

  reserveStart(): number {
    return this.#local.reserveStart();
  }

  pause(): void {
    this.#local.pause();
  }

  resume(): void {
    this.#local.resume();
    void this.#renew();
  }

  rejectAll(error: Error): void {
    for (const place of this.#places.values()) place.fail(error);
    this.#subscription?.then((unsubscribe) => unsubscribe()).catch(() => {});
    this.#subscription = undefined;
  }

  async #request(id: string, place: SlotPlace, depth: number): Promise<void> {
    const { slots, pool, concurrency, minInterval = 0, onWait } = this.#options;
    try {
      await this.#subscribe();
      await this.#releaseRest();
      const request = { id, key: place.key, depth, capacity: concurrency, minInterval };
      const reply = await slots.request(pool, request);
      // The client may have left meanwhile.
      if (!this.#places.has(id)) return await slots.release(pool, id);
      if (reply.state === "granted") place.grant();
      else if (reply.state === "full") place.fail(this.#busyError("full"));
      else if (place.state === "waiting") onWait?.({ position: reply.position });
    } catch {
      place.waitLocally(this.#local);
    }
  }

  /** Events of before are missed, so that a place is requested after it. */
  async #subscribe(): Promise<void> {
    const { slots, pool } = this.#options;
    this.#subscription ??= slots.subscribe(pool, (event) => this.#receive(event));
    try {
      await this.#subscription;
    } catch (error) {
      this.#subscription = undefined;
      throw error;
    }
  }

  #receive(event: SlotEvent): void {
    if (event.type === "granted") this.#places.get(event.id)?.grant();
    else this.#options.onPaused(event.pause);
  }

  #leave(id: string): void {
    const { slots, pool } = this.#options;
    this.#places.get(id)?.end();
    this.#places.delete(id);
    slots.release(pool, id).catch(() => {
      this.#unreleased.add(id);
      this.#renewLater();
    });
  }

  async #releaseRest(): Promise<void> {
    const { slots, pool } = this.#options;
    for (const id of this.#unreleased) {
      await slots.release(pool, id);
      this.#unreleased.delete(id);
    }
  }

  #renewLater(): void {
    this.#renewal ??= setTimeout(() => this.#renew(), this.#options.slots.lease / 3).unref();
  }

  /** Keeps what this process has. Where the store cannot be reached, those who wait are served by this process. */
  async #renew(): Promise<void> {
    clearTimeout(this.#renewal);
    this.#renewal = undefined;
    if (this.#places.size + this.#unreleased.size === 0) return;
    this.#renewLater();
    const { slots, pool, concurrency, minInterval = 0, onLost } = this.#options;
    const waiting = this.#idsOf("waiting").map((id) => ({ id, key: this.#places.get(id)?.key ?? "" }));
    const own = { held: this.#idsOf("held"), waiting, capacity: concurrency, minInterval };
    try {
      await this.#releaseRest();
      const { granted, lost } = await slots.renew(pool, own);
      for (const id of granted) this.#places.get(id)?.grant();
      if (lost > 0) onLost(lost);
    } catch {
      for (const place of this.#places.values()) place.waitLocally(this.#local);
    }
  }

  #idsOf(state: SlotPlace["state"]): string[] {
    return [...this.#places].flatMap(([id, place]) => (place.state === state ? [id] : []));
  }

  #busyError(refusal: "full" | "too slow"): Error {
    const { concurrency, minInterval = 0, createBusyError } = this.#options;
    const { waiting } = this;
    const rounds = Math.ceil((waiting + 1) / concurrency);
    return createBusyError(refusal, Math.max(rounds * this.#serviceTime, (waiting + 1) * minInterval));
  }
}

const serviceTimeWeight = 0.2;
