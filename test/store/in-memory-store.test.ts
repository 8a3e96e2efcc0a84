import { describe } from "vitest";
import { testStore } from "./contract/store-contract.js";
import { createInMemoryStorage, InMemoryStore } from "./in-memory-store.js";

describe("the in-memory store", () => {
  testStore(async () => {
    const storage = createInMemoryStorage();
    return async () => new InMemoryStore(storage);
  });
});
