import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { onTestFinished } from "vitest";
import { SqliteStore } from "../../../src/store/sqlite/store.js";

const workerPath = new URL("../store-worker.mjs", import.meta.url).pathname;

/** The path of a file that does not exist yet, in a folder that is deleted after the test. */
export async function freshPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "moonbridge-store-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "moonbridge.db");
}

export async function openStore(path: string): Promise<SqliteStore> {
  const store = await SqliteStore.open(path);
  onTestFinished(() => store.close());
  return store;
}

/** Opens the file directly, bypassing the store. */
export function openRaw(path: string): Database.Database {
  const database = new Database(path);
  onTestFinished(() => {
    database.close();
  });
  return database;
}

export type WorkerCommand = "race" | "claim" | "write" | "recover" | "open";

/** Starts another process; `shell` is run before it. */
export function startWorker(command: WorkerCommand, path: string, shell = ":"): ChildProcess {
  const child = spawn("sh", ["-c", `${shell}; exec "$0" "$@"`, process.execPath, workerPath, command, path]);
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
