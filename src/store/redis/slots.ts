import { type Static, Type } from "@sinclair/typebox";
import {
  type OwnSlots,
  pauseCodes,
  type SharedPause,
  type SharedSlots,
  type SlotEvent,
  type SlotRenewal,
  type SlotReply,
  type SlotRequest,
} from "../../core/shared-slots.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { parseReply } from "./reply.js";
import { pausePool, poolKeys, releaseSlot, renewSlots, requestSlot } from "./slot-scripts.js";

const Pause = Type.Object({
  milliseconds: Type.Number(),
  code: Type.Union(pauseCodes.map((code) => Type.Literal(code))),
  message: Type.String(),
});

type Listener = (event: SlotEvent) => void;

/** The slots in Redis: one script a call, and a channel for each pool on which grants and pauses are told. */
export class RedisSlots implements SharedSlots {
  readonly lease: number;
  readonly #connection: RedisConnection;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** By pool: runs when the next waiter may start, if only time keeps it from that. */
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(connection: RedisConnection, lease: number) {
    this.#connection = connection;
    this.lease = lease;
  }

  async request(pool: string, request: SlotRequest): Promise<SlotReply> {
    const { id, key, capacity, depth, minInterval } = request;
    const args = [...this.#commonArgs(pool), id, key, capacity, depth, minInterval];
    const { reply, delay } = await this.#connection.run(requestSlot, poolKeys(pool), args);
    this.#grantLater(pool, delay);
    return reply;
  }

  async release(pool: string, id: string): Promise<void> {
    const args = [...this.#commonArgs(pool), id];
    this.#grantLater(pool, await this.#connection.run(releaseSlot, poolKeys(pool), args));
  }

  async renew(pool: string, { held, waiting, capacity, minInterval }: OwnSlots): Promise<SlotRenewal> {
    const ids = [...held, ...waiting.flatMap(({ id, key }) => [id, key])];
    const args = [...this.#commonArgs(pool), capacity, minInterval, held.length, ...ids];
    const { delay, ...renewal } = await this.#connection.run(renewSlots, poolKeys(pool), args);
    this.#grantLater(pool, delay);
    return renewal;
  }

  async pause(pool: string, pause: SharedPause): Promise<void> {
    const args = [...this.#commonArgs(pool), Math.ceil(pause.milliseconds), JSON.stringify(pause)];
    await this.#connection.run(pausePool, poolKeys(pool), args);
  }

  async subscribe(pool: string, listener: Listener): Promise<() => void> {
    const known = this.#listeners.get(pool);
    const listeners = known ?? new Set<Listener>();
    listeners.add(listener);
    this.#listeners.set(pool, listeners);
    if (!known) {
      try {
        await this.#connection.subscribe(channelOf(pool), (message) => this.#receive(pool, message));
      } catch (error) {
        this.#listeners.delete(pool);
        throw error;
      }
    }
    return () => listeners.delete(listener);
  }

  /** Ends the timers. */
  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #commonArgs(pool: string): [lease: number, channel: string] {
    return [this.lease, channelOf(pool)];
  }

  #grantLater(pool: string, delay: number): void {
    if (delay === 0) return;
    clearTimeout(this.#timers.get(pool));
    const grant = () => this.release(pool, "").catch(() => {});
    this.#timers.set(pool, setTimeout(grant, delay).unref());
  }

  #receive(pool: string, message: string): void {
    const event = parseEvent(message);
    if (!event) return;
    for (const listener of this.#listeners.get(pool) ?? []) listener(event);
  }
}

function channelOf(pool: string): string {
  return redisKey("slots", "events", pool);
}

/** Undefined for a message that a later version sends. */
function parseEvent(message: string): SlotEvent | undefined {
  const [, type, rest = ""] = /^(granted|paused) (.*)$/s.exec(message) ?? [];
  if (type === "granted") return { type, id: rest };
  if (type !== "paused") return undefined;
  const pause: Static<typeof Pause> = parseReply(Pause, JSON.parse(rest));
  return { type, pause };
}
