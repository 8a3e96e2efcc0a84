import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unpackLobeChat } from "./unpack-lobechat.js";

const folder = join(import.meta.dirname, "..");
const installedLock = join(folder, "node_modules", ".package-lock.json");

/** Installs the clients of test/agents/package-lock.json (1.7 GB), unless these versions are there, and LobeChat's source. */
export default function installAgents(): void {
  if (!isCurrent()) installPackages();
  unpackLobeChat();
}

function installPackages(): void {
  process.stdout.write("Installing the coding agents into test/agents/node_modules (1.7 GB) …\n");
  // Not `npm ci`, which refuses a lock file without the optional packages of qwen-code that were never published.
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=peer"];
  execFileSync("npm", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

function isCurrent(): boolean {
  if (!existsSync(installedLock)) return false;
  const wanted = packagesOf(join(folder, "package-lock.json"));
  const installed = packagesOf(installedLock);
  return (
    [...installed].every(([path, { version }]) => wanted.get(path)?.version === version) &&
    [...wanted].every(([path, { optional, peer }]) => optional || peer || installed.has(path))
  );
}

/** `optional`: for other platforms, too. */
type Package = { version: string; optional?: boolean; peer?: boolean };

function packagesOf(lockFile: string): Map<string, Package> {
  const { packages } = JSON.parse(readFileSync(lockFile, "utf8"));
  return new Map(Object.entries<Package>(packages).filter(([path]) => path !== ""));
}
