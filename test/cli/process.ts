import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export const program = new URL("../../dist/src/cli/main.js", import.meta.url).pathname;

export type Moonbridge = {
  /** What it printed so far. */
  output(): string;
  log(): string;
  /** The address of its line `listening on …`; fails if it exits before. */
  ready: Promise<string>;
  exit: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  pid: number;
};

export function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), "moonbridge-cli-"));
}

export function writeConfig(folder: string, config: unknown): string {
  const path = join(folder, "config.json");
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  return path;
}

/** The built program as a process of its own, in a folder of its own, killed when the test ends. */
export function run(
  args: string[],
  folder: string,
  environment: Record<string, string> = {},
  input?: string | Buffer,
): Moonbridge {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, MOONBRIDGE_LOG_LEVEL: "trace", ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A program that reads nothing may be gone before it is written to.
  child.stdin.on("error", () => {}).end(input);
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let output = "";
  let log = "";
  child.stdout.on("data", (data: Buffer) => {
    output += data;
  });
  child.stderr.on("data", (data: Buffer) => {
    log += data;
    if (process.env.MOONBRIDGE_TEST_LOG) appendFileSync(process.env.MOONBRIDGE_TEST_LOG, data);
  });
  const exit = once(child, "close").then(([code]: (number | null)[]) => code ?? null);
  const ready = listening(
    child,
    exit,
    () => output,
    () => log,
  );
  ready.catch(() => {});
  return {
    output: () => output,
    log: () => log,
    ready,
    exit,
    kill: (signal) => child.kill(signal),
    pid: child.pid ?? 0,
  };
}

function listening(
  child: ChildProcess,
  exit: Promise<number | null>,
  output: () => string,
  log: () => string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", () => {
      const address = /^listening on (http:\S+)$/m.exec(output())?.[1];
      if (address) resolve(address);
    });
    exit.then((code) => reject(new Error(`exited with ${code}: ${log()}`)));
  });
}
