import { setTimeout } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { limits } from "../../src/config/limits.js";
import { spareMemory } from "../../src/server/spare-memory.js";

let stop: () => void = () => undefined;
afterEach(() => stop());

/** More of it than a collection is worth. */
function garbage(): WeakRef<object> {
  return new WeakRef({ texts: Array.from({ length: limits.sparedGarbage / 8 }, (_, index) => ({ index })) });
}

test("at rest the garbage goes", async () => {
  const left = garbage();
  await setTimeout(20);
  stop = spareMemory(() => 60_000, 10);
  await expect.poll(() => left.deref() === undefined, { timeout: 10_000 }).toBe(true);
});

test("while there is anything to answer nothing is collected", async () => {
  await setTimeout(20);
  const left = garbage();
  stop = spareMemory(() => 0, 10);
  await setTimeout(200);
  expect(left.deref()).toBeDefined();
});
