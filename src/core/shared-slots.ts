/** A request for a slot of a pool. Durations in milliseconds. */
export type SlotRequest = {
  /** Unique to the request. */
  id: string;
  /** The pool is fair between keys. */
  key: string;
  /** Slots in use at the same time, over all processes. */
  capacity: number;
  /** How many may wait, over all processes. */
  depth: number;
  /** Between the starts of two pieces of work. */
  minInterval: number;
};

/** `waiting`: a `granted` event follows. `position`: counted from 1. */
export type SlotReply = { state: "granted" } | { state: "full" } | { state: "waiting"; position: number };

/** What a process has of a pool: slots in use, and places in the queue. */
export type OwnSlots = {
  held: readonly string[];
  waiting: readonly Pick<SlotRequest, "id" | "key">[];
} & Pick<SlotRequest, "capacity" | "minInterval">;

/** `granted`: those of `waiting` that have their slot by now. `lost`: those of `held` that had expired. */
export type SlotRenewal = { granted: readonly string[]; lost: number };

/** Error codes of an account that pauses it. */
export const pauseCodes = ["account_busy", "rate_limited", "upstream_overloaded"] as const;

/** Why and how long the slots of a pool are given to nobody. */
export type SharedPause = { milliseconds: number; code: (typeof pauseCodes)[number]; message: string };

export type SlotEvent = { type: "granted"; id: string } | { type: "paused"; pause: SharedPause };

/**
 * Pools of slots that all processes of a service share: at most `capacity` of a pool are in use. Whoever waits is served
 * round-robin between keys, first come, first served within a key, whichever process it waits in. A slot or a place in the
 * queue that is not renewed for `lease` is given up, so that a killed process blocks nothing. Calls reject with StoreError.
 */
export interface SharedSlots {
  /** In milliseconds, by the clock of the store. */
  readonly lease: number;
  request(pool: string, request: SlotRequest): Promise<SlotReply>;
  /** Gives a slot, or a place in the queue, back. */
  release(pool: string, id: string): Promise<void>;
  /** Call several times within a lease; what the store has lost since is restored. */
  renew(
    pool: string,
    slots: {
      held: readonly string[];
      waiting: readonly Pick<SlotRequest, "id" | "key">[];
    } & Pick<SlotRequest, "capacity" | "minInterval">,
  ): Promise<SlotRenewal>;
  /** Gives no slots of the pool for so long, unless it is paused for longer already. Other processes are told. */
  pause(pool: string, pause: SharedPause): Promise<void>;
  /** Calls `listener` with each event of the pool from now on; events can get lost. Returns how to end that. */
  subscribe(pool: string, listener: (event: SlotEvent) => void): Promise<() => void>;
}
