import type { JsonObject } from "../json.js";

const total = 3;
const mostPeople = 20_000;

/** How often each person has had something researched (kimi-web.md §1.3). */
export class Research {
  readonly #used = new Map<string, number>();

  note(person: string): void {
    this.#used.set(person, (this.#used.get(person) ?? 0) + 1);
    const oldest = this.#used.keys().next();
    if (this.#used.size > mostPeople && !oldest.done) this.#used.delete(oldest.value);
  }

  usage(person: string): JsonObject {
    const used = this.#used.get(person) ?? 0;
    return { remain: Math.max(0, total - used), total, used };
  }
}
