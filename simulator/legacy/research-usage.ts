import type { JsonObject } from "../json.js";

const maxUses = 3;
const maxAccounts = 20_000;

/** Counts the research requests of each account; only the count is simulated, not a limit (kimi-web.md §1.3). */
export class ResearchUsage {
  readonly #timesUsed = new Map<string, number>();

  recordUse(accountId: string): void {
    this.#timesUsed.set(accountId, (this.#timesUsed.get(accountId) ?? 0) + 1);
    const oldest = this.#timesUsed.keys().next();
    if (this.#timesUsed.size > maxAccounts && !oldest.done) this.#timesUsed.delete(oldest.value);
  }

  /** The response to `research/usage`. */
  toJson(accountId: string): JsonObject {
    const timesUsed = this.#timesUsed.get(accountId) ?? 0;
    return { remain: Math.max(0, maxUses - timesUsed), total: maxUses, used: timesUsed };
  }
}
