import { setTimeout } from "node:timers/promises";
import { type Bench, stopRows } from "../bench.js";
import { format, type Table } from "../table.js";

const holdSeconds = 15;

/** The memory of an open stream: thousands are held open, with a delta a second on each. */
export async function memory(bench: Bench): Promise<Table[]> {
  const rows: string[][] = [];
  for (const streams of [1_000, 5_000]) {
    for (const row of bench.rows) {
      const [running] = await bench.startRows([row]);
      if (!running?.process) continue;
      await bench.measure(running, { streams: 50, pace: 0, deltas: 50, pause: 20, rampUp: 500 });
      await setTimeout(5_000);
      const before = running.process.memory();
      const rampUp = streams * 2;
      const load = { streams, pace: 1_000, deltas: rampUp / 1_000 + holdSeconds * 2, rampUp };
      const held = await bench.measure(running, load, holdSeconds / 2, holdSeconds / 2);
      await setTimeout(10_000);
      const kilobytes = (held.memory - before) / streams / 1_024;
      const megabytes = [before, held.memory, running.process.memory()].map((bytes) => format(bytes / 1e6));
      const cpu = format(held.cpuTime / held.seconds / 10);
      rows.push([row.name, format(streams), format(kilobytes), megabytes.join(" / "), cpu]);
      await stopRows([running]);
    }
  }
  const columns = ["row", "streams", "KB a stream", "MB before / during / 10 s after", "CPU, %"];
  const title = "Memory: streams held open, a delta a second on each";
  return [{ title, columns, rows, notes: bench.takeNotes() }];
}
