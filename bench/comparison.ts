import { type Bench, type Measurement, stopRows } from "./bench.js";
import type { LoadOptions } from "./load.js";
import { naiveRelay, nginx, noGateway } from "./rows.js";
import { format, median } from "./table.js";

export type Metric = (measurement: Measurement) => number;
/** A column: a metric's median; its ratio to another row in the same round; or its median minus that of another row. */
export type Column = { title: string; metric: Metric; over?: string; minus?: string };

export const cpuPerDelta: Metric = ({ cpuTime, deltas }) => (cpuTime * 1_000) / deltas;
export const cpuPerAnswer: Metric = ({ cpuTime, answers }) => (cpuTime * 1_000) / answers;

/** The metric, and its ratio to nginx, to the naive relay, and to the same row of the baseline. */
export function ratioColumns(title: string, metric: Metric): Column[] {
  return [
    { title, metric },
    { title: "× nginx", metric, over: nginx.name },
    { title: "× naive relay", metric, over: naiveRelay.name },
    { title: "× baseline", metric, over: "baseline" },
  ];
}

export const firstDeltaColumns: readonly Column[] = [
  { title: "first delta p50, ms", metric: ({ firstDelta }) => firstDelta.p50 },
  { title: "p99", metric: ({ firstDelta }) => firstDelta.p99 },
  { title: "p50 × baseline", metric: ({ firstDelta }) => firstDelta.p50, over: "baseline" },
  { title: "added p50", metric: ({ firstDelta }) => firstDelta.p50, minus: noGateway.name },
];

/** Measures all rows under the same load in interleaved rounds, so that drift of the machine affects all of them alike. */
export async function compare(bench: Bench, title: string, load: LoadOptions, columns: readonly Column[]) {
  const { rounds, seconds } = bench.settings;
  const rows = await bench.startRows(bench.rows);
  for (const row of rows) await bench.measure(row, load, seconds * 2, 0.1);
  const byRow = new Map<string, Measurement[]>(rows.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? rows : rows.toReversed();
    for (const row of order) byRow.get(row.name)?.push(await bench.measure(row, load));
  }
  await stopRows(rows);
  const cell = (name: string, { metric, over, minus }: Column): string => {
    const values = byRow.get(name)?.map(metric) ?? [];
    const other = over === "baseline" ? name.replace("Moonbridge", "baseline") : (over ?? minus ?? "");
    const others = byRow.get(other)?.map(metric);
    if (minus !== undefined) return others ? format(median(values) - median(others)) : "";
    if (over === undefined) return format(median(values));
    if (!others || other === name) return "";
    return format(median(values.map((value, round) => value / (others[round] ?? Number.NaN))));
  };
  return {
    title,
    columns: ["row", ...columns.map((column) => column.title)],
    rows: [...byRow.keys()].map((name) => [name, ...columns.map((column) => cell(name, column))]),
    notes: bench.takeNotes(),
  };
}
