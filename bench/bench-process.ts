import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));

/** A process of the benchmark. Its costs are what Linux accounts for (`/proc`). */
export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #log: string;

  /** Starts a program in `folder`, with further variables; what it prints goes to the file `log` there. */
  constructor(
    command: string,
    args: readonly string[],
    folder: string,
    variables: Record<string, string> = {},
  ) {
    this.#log = `${folder}/log`;
    const output = openSync(this.#log, "w");
    this.#child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, ...variables },
      stdio: ["ignore", output, output],
    });
    closeSync(output);
    running.add(this.#child);
    this.#child.once("exit", () => running.delete(this.#child));
    this.#child.once("error", () => running.delete(this.#child));
  }

  /** Waits for the line `listening on http://…:PORT`. Throws if the process ends before, or after 30 s. */
  async port(): Promise<number> {
    for (let tries = 0; tries < 3_000 && running.has(this.#child); tries++) {
      const port = /^listening on http:\S+:(\d+)$/m.exec(readFileSync(this.#log, "utf8"))?.[1];
      if (port !== undefined) return Number(port);
      await setTimeout(10);
    }
    throw new Error(readFileSync(this.#log, "utf8").slice(-500));
  }

  /** Milliseconds of processor time since its start. */
  cpuTime(): number {
    // The name in parentheses may contain spaces; utime and stime are the 12th and 13th field after it, in 1/100 s.
    const fields = readProc(`${this.#child.pid}/stat`).split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Resident memory in bytes. */
  memory(): number {
    return Number(readProc(`${this.#child.pid}/statm`).split(" ")[1]) * 4_096;
  }

  openFiles(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  /** Resolves when the process has ended; kills it if it does not end within 10 s. */
  async stop(): Promise<void> {
    if (!running.has(this.#child)) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    const killer = globalThis.setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    this.#child.kill("SIGTERM");
    await ended;
    clearTimeout(killer);
  }
}

/** Milliseconds that all processors were busy since the machine started, time stolen by its host included. */
export function machineCpuTime(): number {
  const [user, nice, system, , , irq, softirq, steal] = readProc("stat").split(/\s+/).slice(1, 9).map(Number);
  return [user, nice, system, irq, softirq, steal].reduce<number>((sum, time) => sum + (time ?? 0), 0) * 10;
}

function readProc(path: string): string {
  return readFileSync(`/proc/${path}`, "utf8");
}
