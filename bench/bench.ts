import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { machineCpuTime } from "./bench-process.js";
import { Load, type LoadOptions } from "./load.js";
import { type Row, type RowContext, type RunningRow, startNode } from "./rows.js";
import type { Settings } from "./settings.js";
import { median, quantile } from "./table.js";

/** What was measured of a row under load. Times in ms, memory in bytes. */
export type Measurement = Pick<Load, "answers" | "deltas" | "firstFailure"> &
  Record<"seconds" | "cpuTime" | "memory" | "openFiles", number> &
  Record<"firstDelta" | "lateness", { p50: number; p99: number; max: number }> & {
    row: string;
    /** Processors that were busy with something else than the benchmark. */
    foreignLoad: number;
  };

/** Starts the stand-in upstream. Rows are measured with it; this process is the load client. */
export async function openBench(settings: Settings, rows: readonly Row[]): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-bench-"));
  const upstream = await startNode([join(import.meta.dirname, "upstream.js")], folder);
  const selected = rows.filter(({ name }) => settings.rows.some((part) => name.includes(part)));
  return new Bench(settings, selected, { folder, profile: settings.profile, upstream });
}

export class Bench {
  /** What is missing, and what was measured, since the last call of `takeNotes`. */
  #missing: string[] = [];
  #measurements: Measurement[] = [];

  constructor(
    readonly settings: Settings,
    readonly rows: readonly Row[],
    readonly context: RowContext,
  ) {}

  async close(): Promise<void> {
    await this.context.upstream.process.stop();
    rmSync(this.context.folder, { recursive: true, force: true });
  }

  /** Starts rows; those that cannot run here are left out, and named below the table. */
  async startRows(rows: readonly Row[]): Promise<RunningRow[]> {
    const started: RunningRow[] = [];
    for (const row of rows) {
      try {
        started.push({ ...row, ...(await row.start(this.context)) });
      } catch (error) {
        this.#missing.push(`${row.name} could not be started: ${String(error).slice(0, 300)}`);
      }
    }
    return started;
  }

  /** Puts a load on the row, measures it from `settle` seconds after the ramp-up on, and aborts it. */
  async measure(row: RunningRow, options: LoadOptions, settle = 1, seconds = this.settings.seconds) {
    const load = new Load(row, options);
    await setTimeout(options.rampUp + settle * 1_000);
    const measurement = await this.observe(row, load, seconds);
    await load.stop({ abort: true });
    return measurement;
  }

  /** Measures a load that is running. */
  async observe({ name, process: measured }: RunningRow, load: Load, seconds: number): Promise<Measurement> {
    const cpuTimes = () => {
      const [{ user, system }, row] = [process.cpuUsage(), measured?.cpuTime() ?? 0];
      const own = row + this.context.upstream.process.cpuTime() + (user + system) / 1_000;
      return { row, foreign: machineCpuTime() - own };
    };
    load.mark();
    const [startedAt, before] = [performance.now(), cpuTimes()];
    await setTimeout(seconds * 1_000);
    const [elapsed, after] = [performance.now() - startedAt, cpuTimes()];
    const { answers, deltas, firstFailure, firstDeltas, lateness } = load;
    const measurement = {
      ...{ row: name, answers, deltas, firstFailure },
      seconds: elapsed / 1_000,
      cpuTime: after.row - before.row,
      memory: measured?.memory() ?? 0,
      openFiles: measured?.openFiles() ?? 0,
      firstDelta: quantiles(firstDeltas),
      lateness: quantiles(lateness),
      foreignLoad: Math.max(0, (after.foreign - before.foreign) / elapsed),
    };
    this.#measurements.push(measurement);
    process.stderr.write(".");
    return measurement;
  }

  /** Notes on the measurements since the last call: what is missing, wrong or disturbed. */
  takeNotes(): string[] {
    const failed = this.#measurements.filter(({ firstFailure }) => firstFailure !== "");
    const foreign = median(this.#measurements.map(({ foreignLoad }) => foreignLoad));
    const notes = [
      ...new Set(this.#missing),
      ...failed.map(({ row, firstFailure }) => `**${row}: wrong answers** (${firstFailure})`),
      `Other programs kept ${Math.round(foreign * 100)} % of a processor busy (median).`,
    ];
    [this.#missing, this.#measurements] = [[], []];
    return notes;
  }
}

export async function stopRows(rows: readonly RunningRow[]): Promise<void> {
  await Promise.all(rows.map(({ process }) => process?.stop()));
}

function quantiles(values: readonly number[]) {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1) };
}
