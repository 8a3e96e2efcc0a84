import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { startGateway } from "../candidates/moonbridge.js";
import { residentMemory } from "../proc.js";
import { formatNumber } from "../report/table.js";
import { median } from "../statistics.js";
import type { Part } from "./part.js";

/** The time from the start of the process to readiness, and the size of the installation. */
export const start: Part = async (environment, { quick }) => {
  const startTimes: number[] = [];
  const memory: number[] = [];
  for (let run = 0; run < (quick ? 2 : 7); run++) {
    const startedAt = performance.now();
    const { child } = await startGateway(environment);
    startTimes.push(performance.now() - startedAt);
    memory.push(residentMemory(child.pids));
    await child.stop();
  }
  const { packages, bytes } = measureInstallation();
  return {
    data: { startTimes, memory, packages, bytes },
    table: {
      title: "Start and size",
      columns: ["cold start to ready, ms", "memory when ready, MB", "packages", "installed, MB"],
      rows: [
        [
          formatNumber(median(startTimes)),
          formatNumber(median(memory) / 1e6),
          String(packages),
          formatNumber(bytes / 1e6),
        ],
      ],
      notes: [
        "- Packages and size: what `npm ci --omit=dev` installs for this machine, and the built program.",
      ],
    },
  };
};

/** The number of npm packages without development dependencies, and the bytes of their files and of the built program. */
function measureInstallation(): { packages: number; bytes: number } {
  const output = execFileSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const folders = new Set(output.split("\n").filter((line) => line.includes("node_modules")));
  const programFolders = ["dist/src", "dist/simulator"];
  const bytes = [...folders, ...programFolders].reduce((sum, folder) => sum + folderSize(folder), 0);
  return { packages: folders.size, bytes };
}

/** The bytes of a folder without its `node_modules`, whose packages are counted separately. */
function folderSize(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? sum : sum + folderSize(path);
    return entry.isFile() ? sum + statSync(path).size : sum;
  }, 0);
}
