import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { limits } from "../core/limits.js";

/** V8 returns an empty page to the system only in a later collection, so several are run. */
const collectionsPerIdlePeriod = 3;

/** Heap growth, in per cent, that triggers the next major collection; V8's own choice can exceed 100. */
const heapGrowthPercent = 50;

/** Milliseconds of idleness before the first collection, and between two collections. */
type IdleTimes = { idleBefore: number; interval: number };

const defaultTimes: IdleTimes = { idleBefore: limits.idleBeforeCollecting, interval: limits.collectInterval };

/**
 * Limits heap growth and returns memory to the system while the server is idle: V8 collects only when it needs memory,
 * so an idle process would keep the memory of its busiest time. Waits for `idleBefore`, since a collection also discards
 * compiled code and the young generation's space, which the next answers would need again. `idleFor` returns the
 * milliseconds since the last request. Returns a function that stops the timer.
 */
export function releaseIdleMemory(
  idleFor: () => number,
  { idleBefore, interval } = defaultTimes,
): () => void {
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
  const collect = exposedCollector();
  let pendingCollections = 0;
  let heapAfterCollection = 0;
  const timer = setInterval(() => {
    if (idleFor() < idleBefore) return;
    // Health checks alone leave too little garbage to be worth a collection.
    if (heapUsed() - heapAfterCollection > limits.minCollectableGarbage)
      pendingCollections = collectionsPerIdlePeriod;
    if (pendingCollections === 0) return;
    pendingCollections--;
    collect();
    heapAfterCollection = heapUsed();
  }, interval).unref();
  return () => clearInterval(timer);
}

function heapUsed(): number {
  return getHeapStatistics().used_heap_size;
}

/** `gc()`, which Node exposes only after this V8 flag or by a command-line option. */
function exposedCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  return () => {
    if (typeof collect === "function") collect();
  };
}
