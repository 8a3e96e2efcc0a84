import type { JsonObject } from "../json.js";

const maxUses = 3;
const maxAccounts = 20_000;

/** Number of research requests of each account (kimi-web.md §1.3). */
export class Research {
  readonly #used = new Map<string, number>();

  recordUse(accountId: string): void {
    this.#used.set(accountId, (this.#used.get(accountId) ?? 0) + 1);
    const oldest = this.#used.keys().next();
    if (this.#used.size > maxAccounts && !oldest.done) this.#used.delete(oldest.value);
  }

  usage(accountId: string): JsonObject {
    const timesUsed = this.#used.get(accountId) ?? 0;
    return { remain: Math.max(0, maxUses - timesUsed), total: maxUses, used: timesUsed };
  }
}
