import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { onTestFinished } from "vitest";
import { SqliteStore } from "../../../src/store/sqlite/store.js";
import type { StoreConfig } from "../worker.js";

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

/** The configuration of a store in this file. */
export function configOf(path: string): StoreConfig {
  return { store: { kind: "sqlite", path }, encryptionKeys: [] };
}
