/** `npm run bench`: what Moonbridge costs, beside other programs between a client and an upstream. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { prepareBaseline } from "./baseline.js";
import { openBench } from "./bench.js";
import { bigInputs } from "./parts/big-inputs.js";
import { firstDelta } from "./parts/first-delta.js";
import { growth } from "./parts/growth.js";
import { memory } from "./parts/memory.js";
import { paced } from "./parts/paced.js";
import { replicas } from "./parts/replicas.js";
import { requests } from "./parts/requests.js";
import { soak } from "./parts/soak.js";
import { tools } from "./parts/tools.js";
import { unpaced } from "./parts/unpaced.js";
import { moonbridgeRows, naiveRelay, nginx, noGateway } from "./rows.js";
import { readSettings } from "./settings.js";
import { renderTable } from "./table.js";

const first = { paced, unpaced, "first-delta": firstDelta, requests };
const parts = { ...first, memory, "big-inputs": bigInputs, growth, tools, replicas, soak };
const names = Object.keys(parts) as (keyof typeof parts)[];

const settings = readSettings(process.argv.slice(2), names);
const { baseline, rounds, seconds } = settings;
const baselineRows = baseline === undefined ? [] : moonbridgeRows(prepareBaseline(baseline), "baseline");
const ownRows = moonbridgeRows(join(import.meta.dirname, "../.."));
const bench = await openBench(settings, [noGateway, nginx, naiveRelay, ...ownRows, ...baselineRows]);
const [date] = new Date().toISOString().split(".");
const revision = execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim();
const machine = `Node ${process.version} · Linux ${release()} · ${cpus().length} × ${cpus()[0]?.model}`;
mkdirSync("bench/results", { recursive: true });
const file = `bench/results/${date?.replaceAll(":", "")}.md`;
print(`${date} · ${revision} · ${machine} · ${rounds} rounds of ${seconds} s`);
for (const name of names.filter((part) => settings.only.includes(part)))
  for (const table of await parts[name](bench)) print(renderTable(table));
await bench.close();
process.exit();

function print(text: string): void {
  process.stdout.write(`\n${text}\n`);
  writeFileSync(file, `${text}\n\n`, { flag: "a" });
}
