import { calendarDay } from "../core/calendar-day.js";
import { GatewayError } from "../core/errors.js";
import type { KeyUsage, KeyUsageStore } from "../core/store.js";
import type { EventSink, Principal } from "../core/types.js";
import { TokenMeter } from "./token-meter.js";

type Budgeted = Pick<Principal, "keyName" | "requestsPerDay" | "tokensPerDay">;

export type KeyBudgetsOptions = {
  store: KeyUsageStore;
  /** Writes a warning to the log. */
  warn: (message: string, error: unknown) => void;
  /** The time in milliseconds since the epoch. */
  now?: () => number;
};

/**
 * What each API key may use in a calendar day of the server: `requestsPerDay` and `tokensPerDay`. All processes of one store
 * count together. Tokens are known at the end of an answer, so the answers that run then may go beyond the budget.
 */
export class KeyBudgets {
  readonly #store: KeyUsageStore;
  readonly #warn: KeyBudgetsOptions["warn"];
  readonly #now: () => number;

  constructor({ store, warn, now = Date.now }: KeyBudgetsOptions) {
    this.#store = store;
    this.#warn = warn;
    this.#now = now;
  }

  /** Counts a request of the key. Throws `budget_exceeded` if its budget of today is used up. */
  async admit(principal: Budgeted): Promise<void> {
    const { keyName, requestsPerDay, tokensPerDay } = principal;
    if (requestsPerDay === undefined && tokensPerDay === undefined) return;
    const now = this.#now();
    const { date, end } = calendarDay(now);
    const usedUp = await this.#store.countRequest(keyName, date, {
      ...(requestsPerDay === undefined ? {} : { requests: requestsPerDay }),
      ...(tokensPerDay === undefined ? {} : { tokens: tokensPerDay }),
    });
    if (usedUp) throw budgetExceeded(usedUp, principal, end - now);
  }

  /** Counts the tokens of an answer, complete or not. A failure is a warning in the log: the answer is there. */
  async addTokens({ keyName }: Budgeted, tokens: number): Promise<void> {
    if (tokens === 0) return;
    try {
      await this.#store.addTokens(keyName, calendarDay(this.#now()).date, tokens);
    } catch (error) {
      this.#warn("the tokens of an answer could not be counted", error);
    }
  }
}

/** Counts the tokens of one answer for its key once: before its end reaches the client, or when it has failed. */
export class AnswerBudget {
  readonly meter = new TokenMeter();
  readonly #budgets: KeyBudgets;
  readonly #principal: Budgeted;
  #isCounted: boolean;

  constructor(budgets: KeyBudgets, principal: Budgeted) {
    this.#budgets = budgets;
    this.#principal = principal;
    this.#isCounted = principal.tokensPerDay === undefined;
  }

  events(sink: EventSink): EventSink {
    if (this.#isCounted) return sink;
    return (events) =>
      events.at(-1)?.type === "finish" ? this.count().then(() => sink(events)) : sink(events);
  }

  async count(): Promise<void> {
    if (this.#isCounted) return;
    this.#isCounted = true;
    const { input, output } = (await this.meter.usage()) ?? { input: 0, output: 0 };
    await this.#budgets.addTokens(this.#principal, input + output);
  }
}

function budgetExceeded(
  usedUp: keyof KeyUsage,
  { keyName, requestsPerDay, tokensPerDay }: Budgeted,
  milliseconds: number,
): GatewayError {
  const budget = {
    requests: `requestsPerDay: ${requestsPerDay}`,
    tokens: `tokensPerDay: ${tokensPerDay}`,
  }[usedUp];
  const minutes = Math.ceil(milliseconds / 60_000);
  const time = `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return new GatewayError(
    "budget_exceeded",
    `Moonbridge's own budget of the key “${keyName}” for today is used up (${budget}). It begins anew at midnight of the server's time, in ${time}.`,
    { retryAfterSeconds: Math.max(1, Math.ceil(milliseconds / 1_000)) },
  );
}
