import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "..");
const installedLock = join(folder, "node_modules", ".package-lock.json");

/** Installs the agents of test/agents/package-lock.json (1.7 GB), unless these versions are there. */
export default function installAgents(): void {
  if (isCurrent()) return;
  process.stdout.write("Installing the coding agents into test/agents/node_modules (1.7 GB) …\n");
  // Not `npm ci`, which refuses a lock file without the optional packages of qwen-code that were never published.
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=peer"];
  execFileSync("npm", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

function isCurrent(): boolean {
  if (!existsSync(installedLock)) return false;
  const wanted = packagesOf(join(folder, "package-lock.json"));
  const installed = packagesOf(installedLock);
  return [...installed].every(([path, version]) => wanted.get(path) === version) && installed.size > 0;
}

function packagesOf(lockFile: string): Map<string, string> {
  const { packages } = JSON.parse(readFileSync(lockFile, "utf8"));
  return new Map(
    Object.entries<{ version: string }>(packages).flatMap(([path, { version }]) =>
      path === "" ? [] : [[path, version] as const],
    ),
  );
}
