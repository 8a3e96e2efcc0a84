/** `npm run bench`: what Moonbridge costs, beside what stands between a client and an upstream otherwise. */
import { mkdirSync, writeFileSync } from "node:fs";
import { big } from "./parts/big.js";
import { firstAlone, firstAmongMany } from "./parts/first.js";
import { threadGrowth, turnGrowth } from "./parts/growth.js";
import { memory } from "./parts/memory.js";
import { paced, pacedLong } from "./parts/paced.js";
import type { Part } from "./parts/part.js";
import { streamedRequests, wholeRequests } from "./parts/requests.js";
import { soak } from "./parts/soak.js";
import { start } from "./parts/start.js";
import { together } from "./parts/together.js";
import { unpaced } from "./parts/unpaced.js";
import { document } from "./report/document.js";
import { describe, machine } from "./report/machine.js";
import { render } from "./report/table.js";
import { type PartName, readSettings } from "./settings.js";
import { Stage } from "./stage.js";

const parts: Record<PartName, readonly Part[]> = {
  paced: [paced],
  long: [pacedLong],
  together: [together],
  unpaced: [unpaced],
  first: [firstAlone, firstAmongMany],
  requests: [streamedRequests, wholeRequests],
  memory: [memory],
  big: [big],
  growth: [threadGrowth, turnGrowth],
  soak: [soak],
  start: [start],
};

const settings = readSettings(process.argv.slice(2));
const where = machine();
const stage = await Stage.open(settings);
const findings: Record<string, unknown> = {};
const reports: [part: PartName, tables: string][] = [];
const header = `${describe(where)} · rounds: ${settings.rounds} · warm-up: ${settings.warmSeconds} s`;
say(`${header}\n`);
for (const name of settings.only) {
  const tables: string[] = [];
  for (const part of parts[name]) {
    const { table, data } = await part(stage, settings);
    process.stderr.write("\n");
    findings[table.title] = data;
    tables.push(render(table));
    say(`${tables.at(-1)}`);
  }
  reports.push([name, tables.join("\n")]);
}
await stage.close();

mkdirSync("bench/results", { recursive: true });
const file = `bench/results/${where.date.replaceAll(":", "-")}.json`;
writeFileSync(file, JSON.stringify({ where, settings, findings }, null, 1));
say(`Everything is in ${file}.`);
if (settings.document) for (const [part, tables] of reports) document(part, `${tables}\n${header}`);
process.exit();

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
