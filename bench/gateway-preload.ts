/**
 * Loaded into the gateway's process before the gateway: reports what only the process itself can see, so that the
 * product needs no hook for the benchmark.
 */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { answerCalls } from "./calls.js";

/** What `report` tells. Delays in milliseconds: how much later than it should a timer fires. */
export type LoopReport = { p50: number; p99: number; max: number; resources: number; heap: number };

const resolution = 5;
const delays = monitorEventLoopDelay({ resolution });

/** Where a profile of each window is left, if it is wanted. */
const profiles = process.env.MOONBRIDGE_BENCH_PROFILES;
const session = new Session();
let windows = 0;

answerCalls({
  watch: async () => {
    if (profiles) {
      session.connect();
      await session.post("Profiler.enable");
      await session.post("Profiler.start");
    }
    delays.reset();
    delays.enable();
  },
  report: async (): Promise<LoopReport> => {
    delays.disable();
    if (profiles) {
      const { profile } = await session.post("Profiler.stop");
      session.disconnect();
      writeFileSync(`${profiles}/${process.pid}-${++windows}.cpuprofile`, JSON.stringify(profile));
    }
    return {
      p50: late(delays.percentile(50)),
      p99: late(delays.percentile(99)),
      max: late(delays.max),
      resources: process.getActiveResourcesInfo().length,
      heap: process.memoryUsage().heapUsed,
    };
  },
});

// The channel must not keep the gateway from ending by itself.
process.channel?.unref();

function late(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - resolution);
}
