import { type Bench, type Measurement, stopRows } from "../bench.js";
import { cpuPerDelta, type Metric } from "../comparison.js";
import { Load } from "../load.js";
import { format, median, type Table } from "../table.js";

const sampleSeconds = 15;
/** The first three minutes are left out: V8 compiles, and pools fill. */
const warmUpSamples = 12;

/** One load for a long time: do memory, open files or the cost of a delta grow, and is every answer right? */
export async function soak(bench: Bench): Promise<Table[]> {
  const [row] = await bench.startRows(bench.rows.filter(({ isMain }) => isMain).slice(0, 1));
  if (!row) throw new Error(`nothing to measure: ${bench.takeNotes().join(" ")}`);
  const load = new Load(row, { streams: 100, pace: 20, deltas: 100, pause: 5, rampUp: 2_000 });
  const samples: Measurement[] = [];
  while (samples.length < (bench.settings.minutes * 60) / sampleSeconds)
    samples.push(await bench.observe(row, load, sampleSeconds));
  await load.stop({ abort: false });
  await stopRows([row]);
  const steady = samples.slice(warmUpSamples);
  const third = Math.ceil(steady.length / 3);
  const [early, late] = [steady.slice(0, third), steady.slice(-third)];
  const change = (metric: Metric) =>
    `${format(median(early.map(metric)))} → ${format(median(late.map(metric)))}`;
  const cells = [
    change(({ memory }) => memory / 1e6),
    change(({ openFiles }) => openFiles),
    change(cpuPerDelta),
    change(({ firstDelta }) => firstDelta.p99),
    format(samples.reduce((sum, { answers }) => sum + answers, 0)),
    String(load.wrongAnswers),
  ];
  const title = `Soak: ${bench.settings.minutes} minutes, 100 streams of 50 deltas a second`;
  const columns = ["MB", "open files", "CPU per delta, µs", "first delta p99, ms", "answers", "wrong"];
  const note = "The arrow leads from the first third after three minutes to the last.";
  return [{ title, columns, rows: [cells], notes: [note, ...bench.takeNotes()] }];
}
