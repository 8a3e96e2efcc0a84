import { BoundedMap } from "../lib/bounded-map.js";

/** So many at once, and all of them again after so many milliseconds. */
export type Allowance = { most: number; within: number };

/** Token buckets by name. Beyond `size` names the one that was used longest ago is forgotten. */
export class Buckets {
  readonly #buckets: BoundedMap<{ level: number; at: number }>;

  constructor(size: number) {
    this.#buckets = new BoundedMap(size);
  }

  /** Takes one out; false if there is none. */
  take(name: string, allowance: Allowance, now = performance.now()): boolean {
    const level = this.#level(name, allowance, now);
    if (whole(level) === 0) return false;
    this.#buckets.set(name, { level: level - 1, at: now });
    return true;
  }

  /** How many are left, and the seconds until there is one and until there are all. */
  look(name: string, allowance: Allowance, now = performance.now()) {
    const level = this.#level(name, allowance, now);
    const secondsUntil = (wanted: number) =>
      Math.max(0, Math.ceil(((wanted - level) * allowance.within) / allowance.most / 1_000));
    return { left: whole(level), next: secondsUntil(1), all: secondsUntil(allowance.most) };
  }

  #level(name: string, { most, within }: Allowance, now: number): number {
    const bucket = this.#buckets.get(name);
    return bucket ? Math.min(most, bucket.level + ((now - bucket.at) * most) / within) : most;
  }
}

/** What came back in fractions may lack a hair of one. */
function whole(level: number): number {
  return Math.floor(level + 1e-9);
}
