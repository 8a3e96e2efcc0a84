/** `npm run bench`: measures what Moonbridge costs, compared with other proxies between a client and an upstream. */
import { mkdirSync, writeFileSync } from "node:fs";
import { BenchEnvironment } from "./environment.js";
import { big } from "./parts/big.js";
import { firstDeltaOfManyStreams, firstDeltaOfOneStream } from "./parts/first.js";
import { nodeGrowth, turnGrowth } from "./parts/growth.js";
import { memory } from "./parts/memory.js";
import { paced, pacedLong } from "./parts/paced.js";
import type { Part } from "./parts/part.js";
import { nonStreamedRequests, streamedRequests } from "./parts/requests.js";
import { soak } from "./parts/soak.js";
import { start } from "./parts/start.js";
import { together } from "./parts/together.js";
import { unpaced } from "./parts/unpaced.js";
import { writeToDocumentation } from "./report/document.js";
import { collectMachineInfo, formatMachineInfo } from "./report/machine.js";
import { renderTable } from "./report/table.js";
import { type PartName, readSettings } from "./settings.js";

const parts: Record<PartName, readonly Part[]> = {
  paced: [paced],
  long: [pacedLong],
  together: [together],
  unpaced: [unpaced],
  first: [firstDeltaOfOneStream, firstDeltaOfManyStreams],
  requests: [streamedRequests, nonStreamedRequests],
  memory: [memory],
  big: [big],
  growth: [nodeGrowth, turnGrowth],
  soak: [soak],
  start: [start],
};

const settings = readSettings(process.argv.slice(2));
const machine = collectMachineInfo();
const environment = await BenchEnvironment.open(settings);
const results: Record<string, unknown> = {};
const reports: [part: PartName, tables: string][] = [];
const header = `${formatMachineInfo(machine)} · rounds: ${settings.rounds} · warm-up: ${settings.warmUpSeconds} s`;
print(`${header}\n`);
for (const name of settings.only) {
  const tables: string[] = [];
  for (const part of parts[name]) {
    const { table, data } = await part(environment, settings);
    process.stderr.write("\n");
    results[table.title] = data;
    tables.push(renderTable(table));
    print(`${tables.at(-1)}`);
  }
  reports.push([name, tables.join("\n")]);
}
await environment.close();

mkdirSync("bench/results", { recursive: true });
const file = `bench/results/${machine.date.replaceAll(":", "-")}.json`;
writeFileSync(file, JSON.stringify({ machine, settings, results }, null, 1));
print(`Everything is in ${file}.`);
if (settings.document)
  for (const [part, tables] of reports) writeToDocumentation(part, `${tables}\n${header}`);
process.exit();

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
