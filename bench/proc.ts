import { readdirSync, readFileSync } from "node:fs";

/** What the operating system has counted of processes and of the whole machine. Linux only. */

/** Clock ticks a second, as `/proc` counts: 100 on every Linux. */
const ticks = 100;
const pageSize = 4_096;

/** Milliseconds of processor time that these processes have used. */
export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field behind it.
    const fields = read(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
    return sum + ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticks;
  }, 0);
}

/** Bytes of memory that these processes hold (resident set size). */
export function memoryOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(read(`/proc/${pid}/statm`).split(" ")[1]) * pageSize, 0);
}

/** Open files and sockets of a process. */
export function handlesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** A process and all that it has started. */
export function familyOf(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`)
    .split(" ")
    .filter((child) => child !== "");
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
}

/** Milliseconds that all processors together have worked for anybody, or were taken away by the host. */
export function machineCpu(): number {
  const [user, nice, system, , , irq, softirq, steal] = (read("/proc/stat").split("\n")[0] ?? "")
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = [user, nice, system, irq, softirq, steal].reduce<number>((sum, each) => sum + (each ?? 0), 0);
  return (busy * 1_000) / ticks;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has just ended.
    return "";
  }
}
