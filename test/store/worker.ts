import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { openStore } from "../../src/store/open-store.js";

const workerPath = fileURLToPath(new URL("store-worker.mjs", import.meta.url));

/** The part of the configuration that names a store. */
export type StoreConfig = Parameters<typeof openStore>[0];
export type WorkerCommand = "race" | "claim" | "converse" | "write" | "recover" | "open";

type WorkerOptions = {
  /** A command of the shell that is run before. */
  shell?: string;
  /** `race`: a file that only the owner of the lock creates. */
  file?: string;
};

/** Starts another process on the same store. */
export function startWorker(
  command: WorkerCommand,
  config: StoreConfig,
  { shell = ":", file = "" }: WorkerOptions = {},
): ChildProcess {
  const encryptionKeys = config.encryptionKeys.map((key) => key.toString("hex"));
  const args = [workerPath, command, JSON.stringify({ ...config, encryptionKeys }), file];
  const child = spawn("sh", ["-c", `${shell}; exec "$0" "$@"`, process.execPath, ...args]);
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** The lines that a process prints until it exits. */
export async function outputLines(child: ChildProcess): Promise<string[]> {
  let output = "";
  child.stdout?.on("data", (data: Buffer) => {
    output += data;
  });
  await once(child, "close");
  return output.split("\n").slice(0, -1);
}
