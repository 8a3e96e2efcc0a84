import { cpus, release, totalmem } from "node:os";

/** Where a run took place: figures of two machines do not compare. */
export function machine() {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    node: process.version,
    kernel: release(),
    processor: processors[0]?.model ?? "unknown",
    processors: processors.length,
    memory: Math.round(totalmem() / 1e9),
  };
}

export function describe({
  date,
  node,
  kernel,
  processor,
  processors,
  memory,
}: ReturnType<typeof machine>): string {
  return `${date.slice(0, 10)} · Node ${node} · Linux ${kernel} · ${processors} × ${processor} · ${memory} GB`;
}
