import { Type } from "@sinclair/typebox";
import {
  type DailyUsage,
  type HourlyUsage,
  type JournalEntry,
  outcomeOf,
  type UsageCounts,
  type UsageGroup,
} from "../../core/journal.js";
import { parseJson } from "./reply.js";

const hourMs = 3_600_000;

/** The fields of an hour's hash. */
type HourFigure = keyof UsageCounts | "firstOutput" | "answered";
const Figure = Type.Union([
  Type.Literal("requests"),
  Type.Literal("inputTokens"),
  Type.Literal("cachedTokens"),
  Type.Literal("outputTokens"),
]);
/** The fields of a day's hash, as JSON: key, model, account, outcome (`ok` or an error code), figure. */
const DayField = Type.Tuple([Type.String(), Type.String(), Type.String(), Type.String(), Figure]);
const groupIndexes: Record<UsageGroup, 0 | 1 | 2 | 3> = { key: 0, model: 1, account: 2, outcome: 3 };

const noCounts: UsageCounts = {
  ...{ requests: 0, failed: 0, cancelled: 0 },
  ...{ inputTokens: 0, cachedTokens: 0, outputTokens: 0 },
};

export type CountedEntry = { entry: JournalEntry; day: string };
/** Amounts by field, of each day, hour or other thing. */
type Amounts<Key> = Map<Key, Map<string, number>>;

/** What entries add to the hashes of their days and hours, and when each key was used last on a day. */
export type UsageSums = { days: Amounts<string>; hours: Amounts<number>; lastUses: Amounts<string> };

export function sumEntries(entries: readonly CountedEntry[]): UsageSums {
  const sums: UsageSums = { days: new Map(), hours: new Map(), lastUses: new Map() };
  for (const { entry, day } of entries) {
    const { key = "", model = "", upstream = "", failure = "ok", usage, endedAt, firstOutput } = entry;
    const outcome = outcomeOf(entry);
    const { input = 0, cached = 0, output = 0 } = usage ?? {};
    const counts = { requests: 1, inputTokens: input, cachedTokens: cached, outputTokens: output };
    for (const [figure, amount] of Object.entries(counts))
      add(sums.days, day, JSON.stringify([key, model, upstream, failure, figure]), amount);
    const figures: Record<HourFigure, number> = {
      ...counts,
      failed: outcome === "failed" ? 1 : 0,
      cancelled: outcome === "cancelled" ? 1 : 0,
      firstOutput: firstOutput ?? 0,
      answered: firstOutput === undefined ? 0 : 1,
    };
    const hour = Math.floor(endedAt / hourMs) * hourMs;
    for (const [figure, amount] of Object.entries(figures)) add(sums.hours, hour, figure, amount);
    if (key === "") continue;
    const uses = fieldsOf(sums.lastUses, day);
    uses.set(key, Math.max(uses.get(key) ?? 0, endedAt));
  }
  return sums;
}

function add<Key>(sums: Amounts<Key>, key: Key, field: string, amount: number): void {
  if (amount === 0) return;
  const fields = fieldsOf(sums, key);
  fields.set(field, (fields.get(field) ?? 0) + Math.round(amount));
}

function fieldsOf<Key>(sums: Amounts<Key>, key: Key): Map<string, number> {
  const fields = sums.get(key) ?? new Map<string, number>();
  sums.set(key, fields);
  return fields;
}

/** The sums of a day for each value of a group, by its name. */
export function toDailyUsage(day: string, by: UsageGroup, fields: ReadonlyMap<string, number>): DailyUsage[] {
  const sums = new Map<string, DailyUsage>();
  for (const [field, amount] of fields) {
    const parsed = parseJson(DayField, field);
    const [name, outcome, figure] = [parsed[groupIndexes[by]], parsed[3], parsed[4]];
    const sum = sums.get(name) ?? { day, name, ...noCounts };
    sum[figure] += amount;
    if (figure === "requests" && outcome === "cancelled") sum.cancelled += amount;
    else if (figure === "requests" && outcome !== "ok") sum.failed += amount;
    sums.set(name, sum);
  }
  return [...sums.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function toHourlyUsage(hour: number, fields: ReadonlyMap<string, number>): HourlyUsage {
  const figure = (name: HourFigure) => fields.get(name) ?? 0;
  const answered = figure("answered");
  return {
    hour,
    ...{ requests: figure("requests"), failed: figure("failed"), cancelled: figure("cancelled") },
    inputTokens: figure("inputTokens"),
    cachedTokens: figure("cachedTokens"),
    outputTokens: figure("outputTokens"),
    firstOutput: answered === 0 ? undefined : figure("firstOutput") / answered,
  };
}
