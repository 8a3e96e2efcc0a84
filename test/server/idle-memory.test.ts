import { constants, PerformanceObserver } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { limits } from "../../src/core/limits.js";
import { spareMemory } from "../../src/server/idle-memory.js";

let collections = 0;
let stop: () => void = () => undefined;
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().filter(isForced).length;
});

beforeEach(() => {
  collections = 0;
  observer.observe({ entryTypes: ["gc"] });
});
afterEach(() => {
  stop();
  observer.disconnect();
});

test("at rest the garbage is collected, and then nothing until there is more", async () => {
  stop = spareMemory(() => 60_000, { rest: 60_000, every: 10 });
  await expect.poll(() => collections).toBe(3);
  await setTimeout(200);
  expect(collections).toBe(3);
  const kept = Array.from({ length: limits.sparedGarbage / 8 }, (_, index) => ({ index }));
  await expect.poll(() => collections).toBe(6);
  expect(kept).toHaveLength(limits.sparedGarbage / 8);
});

test("while there is anything to answer, or a rest is short, nothing is collected", async () => {
  let rested = 0;
  stop = spareMemory(() => rested, { rest: 60_000, every: 10 });
  await setTimeout(100);
  rested = 59_999;
  await setTimeout(100);
  expect(collections).toBe(0);
  rested = 60_000;
  await expect.poll(() => collections).toBe(3);
});

/** Somebody asked for it; V8 collects of its own accord, too. */
function isForced(entry: object): boolean {
  const detail: unknown = "detail" in entry ? entry.detail : undefined;
  if (typeof detail !== "object" || detail === null || !("flags" in detail)) return false;
  return detail.flags === constants.NODE_PERFORMANCE_GC_FLAGS_FORCED;
}
