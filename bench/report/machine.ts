import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

/** Build, machine and date of a run; memory in GB. Results of different machines cannot be compared. */
export function collectMachineInfo() {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    build: lastCommit(),
    node: process.version,
    kernel: release(),
    processor: processors[0]?.model ?? "unknown",
    processors: processors.length,
    memory: Math.round(totalmem() / 1e9),
  };
}

/** The machine info as one line of text. */
export function formatMachineInfo({
  date,
  build,
  node,
  kernel,
  processor,
  processors,
  memory,
}: ReturnType<typeof collectMachineInfo>): string {
  return `${date.slice(0, 10)} · build ${build} · Node ${node} · Linux ${kernel} · ${processors} × ${processor} · ${memory} GB`;
}

/** The last commit that changed what is measured; `unknown` without a Git history. */
function lastCommit(): string {
  try {
    const gitArguments = ["log", "-1", "--format=%h", "--", "src", "package-lock.json", "package.json"];
    return execFileSync("git", gitArguments, { stdio: "pipe", encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
