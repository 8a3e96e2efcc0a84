import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { limits } from "../core/limits.js";

/** A page that a collection has emptied is given back by one of the next. */
const collections = 3;

/** Per cent that the heap may grow by before the next collection. V8 would let it double and more: it is made for speed. */
const growth = 50;

/** Milliseconds: how long a rest has to be before anything is collected, and between two collections. */
type RestTimes = { rest: number; every: number };

const defaultTimes: RestTimes = { rest: limits.restBeforeCollecting, every: limits.collectAtRest };

/**
 * Takes little more memory than is needed, and gives back to the machine what a busy hour took. V8 collects when it
 * needs memory; a gateway at rest needs none and would keep all of it. Not at once: with the garbage go compiled code
 * and the room for young objects, which the next answers would have to make anew. `restedFor`: milliseconds since
 * there was anything to answer. Returns how to stop.
 */
export function spareMemory(restedFor: () => number, { rest, every } = defaultTimes): () => void {
  setFlagsFromString(`--heap-growing-percent=${growth}`);
  const collect = collector();
  let due = 0;
  let left = 0;
  const timer = setInterval(() => {
    if (restedFor() < rest) return;
    // Somebody who only asks for its health leaves nothing worth the work.
    if (heapUsed() - left > limits.sparedGarbage) due = collections;
    if (due === 0) return;
    due--;
    collect();
    left = heapUsed();
  }, every).unref();
  return () => clearInterval(timer);
}

function heapUsed(): number {
  return getHeapStatistics().used_heap_size;
}

/** V8's own collector; Node hands it out in this way only, or by a flag on its command line. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  return () => {
    if (typeof collect === "function") collect();
  };
}
