import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { findPlatformFolders } from "../../src/config/platform-folders.js";

/** The built command-line program. */
export const programPath = new URL("../../dist/src/cli/main.js", import.meta.url).pathname;

export type MoonbridgeProcess = {
  /** Standard output so far. */
  output(): string;
  /** Standard error so far. */
  log(): string;
  /** The URL of its line `listening on …`. Rejects if it exits before that. */
  ready: Promise<string>;
  exit: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  pid: number;
};

/** Creates a folder for config and store of a process. */
export function createTemporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "moonbridge-cli-"));
}

/**
 * Variables that make a folder the user's home, so that a process without a config keeps its database below `folder`,
 * in `dataFolder(folder)`.
 */
export function homeVariables(folder: string): Record<string, string> {
  return {
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, "user-config"),
    XDG_DATA_HOME: join(folder, "user-data"),
  };
}

/** Where a process keeps its database if it has no config: the data folder of the user whose home is `folder`. */
export function dataFolder(folder: string): string {
  const machine = { platform: process.platform, environment: homeVariables(folder), home: folder };
  const folders = findPlatformFolders(machine);
  if (folders === undefined) throw new Error("a folder for data is missing");
  return folders.data;
}

/** Writes config.json into the folder and returns its path; a string is written as it is. */
export function writeConfig(folder: string, config: unknown): string {
  const path = join(folder, "config.json");
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  return path;
}

/** Starts the built program in this folder, which is also its home, with `input` on standard input. It is killed when the test ends. */
export function runMoonbridge(
  args: string[],
  folder: string,
  environment: Record<string, string> = {},
  input?: string | Buffer,
): MoonbridgeProcess {
  const child = spawn(process.execPath, [programPath, ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      ...homeVariables(folder),
      MOONBRIDGE_LOG_LEVEL: "debug",
      ...environment,
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A command that reads no input may exit before the input is written.
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
  const ready = waitForUrl(
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

function waitForUrl(
  child: ChildProcess,
  exit: Promise<number | null>,
  output: () => string,
  log: () => string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", () => {
      const url = /^listening on (https?:\S+)$/m.exec(output())?.[1];
      if (url) resolve(url);
    });
    exit.then((code) => reject(new Error(`exited with ${code}: ${log()}`)));
  });
}
