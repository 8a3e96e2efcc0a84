import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { startGateway } from "../candidates/moonbridge.js";
import { memoryOf } from "../proc.js";
import { figure } from "../report/table.js";
import { median } from "../statistics.js";
import type { Part } from "./part.js";

/** From nothing to ready, and what it takes on a disk. */
export const start: Part = async (stage, { quick }) => {
  const times: number[] = [];
  const memory: number[] = [];
  for (let run = 0; run < (quick ? 2 : 7); run++) {
    const startedAt = performance.now();
    const { child } = await startGateway(stage);
    times.push(performance.now() - startedAt);
    memory.push(memoryOf(child.pids));
    await child.stop();
  }
  const { packages, bytes } = installed();
  return {
    data: { times, memory, packages, bytes },
    table: {
      title: "Start and size",
      columns: ["cold start to ready, ms", "memory when ready, MB", "packages", "installed, MB"],
      rows: [[figure(median(times)), figure(median(memory) / 1e6), String(packages), figure(bytes / 1e6)]],
      notes: [
        "- Packages and size: what `npm ci --omit=dev` installs for this machine, and the built program.",
      ],
    },
  };
};

/** The packages that run in production, as npm sees them, and the bytes of their files and of the program. */
function installed(): { packages: number; bytes: number } {
  const listed = execFileSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const folders = new Set(listed.split("\n").filter((line) => line.includes("node_modules")));
  const program = ["dist/src", "dist/simulator"];
  const bytes = [...folders, ...program].reduce((sum, folder) => sum + sizeOf(folder), 0);
  return { packages: folders.size, bytes };
}

/** The bytes of a folder, without the packages inside it: they are counted by themselves. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? sum : sum + sizeOf(path);
    return entry.isFile() ? sum + statSync(path).size : sum;
  }, 0);
}
