import { describe, expect } from "vitest";
import { describeStore } from "../../../src/config/store-location.js";
import { readPragma } from "../../../src/store/sqlite/migrations.js";
import { testProcesses } from "../contract/processes.js";
import { testRandomCalls } from "../contract/random-calls.js";
import { testStore } from "../contract/store-contract.js";
import { configOf, freshPath, openRaw, openStore } from "./temporary-database.js";

async function createStorage() {
  const path = await freshPath();
  return () => openStore(path);
}

describe("the SQLite store", () => {
  testStore(createStorage);
  testRandomCalls(createStorage);
  testProcesses(
    async () => configOf(await freshPath()),
    ({ store }) => expect(readPragma(openRaw(describeStore(store)), "quick_check")).toBe("ok"),
  );
});
