import { constants, PerformanceObserver } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { limits } from "../../src/core/limits.js";
import { releaseIdleMemory } from "../../src/server/idle-memory.js";

let forcedCollections = 0;
let stop: () => void = () => undefined;
const observer = new PerformanceObserver((list) => {
  forcedCollections += list.getEntries().filter(isForced).length;
});

beforeEach(() => {
  forcedCollections = 0;
  observer.observe({ entryTypes: ["gc"] });
});
afterEach(() => {
  stop();
  observer.disconnect();
});

test("collects garbage while idle, and again only after more garbage has accumulated", async () => {
  stop = releaseIdleMemory(() => 60_000, { idleBefore: 60_000, interval: 10 });
  await expect.poll(() => forcedCollections).toBe(3);
  await setTimeout(200);
  expect(forcedCollections).toBe(3);
  const allocated = Array.from({ length: limits.minCollectableGarbage / 8 }, (_, index) => ({ index }));
  await expect.poll(() => forcedCollections).toBe(6);
  expect(allocated).toHaveLength(limits.minCollectableGarbage / 8);
});

test("collects nothing before the server has been idle for the configured time", async () => {
  let idleMs = 0;
  stop = releaseIdleMemory(() => idleMs, { idleBefore: 60_000, interval: 10 });
  await setTimeout(100);
  idleMs = 59_999;
  await setTimeout(100);
  expect(forcedCollections).toBe(0);
  idleMs = 60_000;
  await expect.poll(() => forcedCollections).toBe(3);
});

/** Whether the collection was requested by code; V8 also collects of its own accord. */
function isForced(entry: object): boolean {
  const detail: unknown = "detail" in entry ? entry.detail : undefined;
  if (typeof detail !== "object" || detail === null || !("flags" in detail)) return false;
  return detail.flags === constants.NODE_PERFORMANCE_GC_FLAGS_FORCED;
}
