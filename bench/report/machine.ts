import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

/** Where a run took place: figures of two machines do not compare. */
export function machine() {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    build: commit(),
    node: process.version,
    kernel: release(),
    processor: processors[0]?.model ?? "unknown",
    processors: processors.length,
    memory: Math.round(totalmem() / 1e9),
  };
}

export function describe({
  date,
  build,
  node,
  kernel,
  processor,
  processors,
  memory,
}: ReturnType<typeof machine>): string {
  return `${date.slice(0, 10)} · build ${build} · Node ${node} · Linux ${kernel} · ${processors} × ${processor} · ${memory} GB`;
}

/** The last commit that changed what is measured; a copy without its history does not know. */
function commit(): string {
  try {
    const last = ["log", "-1", "--format=%h", "--", "src", "package-lock.json", "package.json"];
    return execFileSync("git", last, { stdio: "pipe", encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
