import type { Usage } from "../../api/types.js";

export const figures = ["requests", "tokens", "errors"] as const;
export type Figure = (typeof figures)[number];

type Row = Usage["data"][number];
type Counts = Omit<Row, "day" | "name">;

const dayLength = 86_400_000;

function figureOf(row: Row, figure: Figure): number {
  switch (figure) {
    case "requests":
      return row.requests;
    case "errors":
      return row.errors;
    case "tokens":
      return row.input_tokens + row.output_tokens;
  }
}

/** One value a day for each name, days without requests included; the largest series first. */
export function seriesOf({ from, to, data }: Usage, figure: Figure) {
  const days = daysBetween(from, to);
  const byName = Map.groupBy(data, ({ name }) => name);
  const series = [...byName].map(([name, rows]) => {
    const byDay = new Map(rows.map((row) => [row.day, figureOf(row, figure)]));
    return { name, values: days.map((day) => byDay.get(day) ?? 0) };
  });
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return { days, series: series.sort((one, other) => sum(other.values) - sum(one.values)) };
}

function daysBetween(from: string, to: string): string[] {
  const first = Date.parse(from);
  const count = Math.round((Date.parse(to) - first) / dayLength) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) =>
    new Date(first + index * dayLength).toISOString().slice(0, 10),
  );
}

const nothing: Counts = {
  requests: 0,
  errors: 0,
  cancelled: 0,
  input_tokens: 0,
  cached_tokens: 0,
  output_tokens: 0,
};

/** The sums of all days for each name, and of all. */
export function totalsOf({ data }: Usage) {
  const byName = Map.groupBy(data, ({ name }) => name);
  const rows = [...byName].map(([name, each]) => ({ name, ...each.reduce(add, nothing) }));
  return {
    rows: rows.sort((one, other) => other.requests - one.requests),
    total: rows.reduce(add, nothing),
  };
}

function add(sum: Counts, row: Counts): Counts {
  return {
    requests: sum.requests + row.requests,
    errors: sum.errors + row.errors,
    cancelled: sum.cancelled + row.cancelled,
    input_tokens: sum.input_tokens + row.input_tokens,
    cached_tokens: sum.cached_tokens + row.cached_tokens,
    output_tokens: sum.output_tokens + row.output_tokens,
  };
}
