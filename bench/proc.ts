import { readdirSync, readFileSync } from "node:fs";

/** Counters of the operating system for processes and for the whole machine, from `/proc`. Linux only. */

/** `USER_HZ`, the unit of times in `/proc`: 100 on every Linux. */
const ticksPerSecond = 100;
const pageSize = 4_096;

/** Milliseconds of processor time that these processes have used since they started. */
export function cpuTime(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    // The name in parentheses may contain spaces; utime and stime are the 12th and 13th field after it.
    const fields = readOrEmpty(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
    return sum + ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
  }, 0);
}

/** The resident set size of these processes together, in bytes. */
export function residentMemory(pids: readonly number[]): number {
  return pids.reduce(
    (sum, pid) => sum + Number(readOrEmpty(`/proc/${pid}/statm`).split(" ")[1]) * pageSize,
    0,
  );
}

/** The number of open files and sockets of a process. */
export function countOpenFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The ids of a process and all its descendants. */
export function processTree(pid: number): number[] {
  const children = readOrEmpty(`/proc/${pid}/task/${pid}/children`)
    .split(" ")
    .filter((child) => child !== "");
  return [pid, ...children.flatMap((child) => processTree(Number(child)))];
}

/** Milliseconds that all processors together were busy since the machine started, time stolen by the host included. */
export function machineCpuTime(): number {
  const [user, nice, system, , , irq, softirq, steal] = (readOrEmpty("/proc/stat").split("\n")[0] ?? "")
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = [user, nice, system, irq, softirq, steal].reduce<number>((sum, each) => sum + (each ?? 0), 0);
  return (busy * 1_000) / ticksPerSecond;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process has just ended.
    return "";
  }
}
