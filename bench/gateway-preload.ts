/**
 * Loaded into the gateway's process before the gateway. Reports what can only be read inside the process, so that the
 * product needs no code for the benchmark.
 */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { handleCalls } from "./ipc.js";

/** The result of `report`. `p50`, `p99` and `max`: milliseconds by which a timer fires too late; `heapUsed`: bytes. */
export type EventLoopReport = {
  p50: number;
  p99: number;
  max: number;
  activeResources: number;
  heapUsed: number;
};

/** Milliseconds between two samples of the event loop. */
const resolution = 5;
const delays = monitorEventLoopDelay({ resolution });

/** The folder for a CPU profile of each measurement; undefined if none is to be written. */
const profileFolder = process.env.MOONBRIDGE_BENCH_PROFILES;
const inspector = new Session();
let profileCount = 0;

handleCalls({
  startMeasuring: async () => {
    if (profileFolder) {
      inspector.connect();
      await inspector.post("Profiler.enable");
      await inspector.post("Profiler.start");
    }
    delays.reset();
    delays.enable();
  },
  report: async (): Promise<EventLoopReport> => {
    delays.disable();
    if (profileFolder) {
      const { profile } = await inspector.post("Profiler.stop");
      inspector.disconnect();
      writeFileSync(`${profileFolder}/${process.pid}-${++profileCount}.cpuprofile`, JSON.stringify(profile));
    }
    return {
      p50: lateness(delays.percentile(50)),
      p99: lateness(delays.percentile(99)),
      max: lateness(delays.max),
      activeResources: process.getActiveResourcesInfo().length,
      heapUsed: process.memoryUsage().heapUsed,
    };
  },
});

// The IPC channel must not keep the gateway's process alive.
process.channel?.unref();

/** Milliseconds by which a sample was later than the sampling interval. */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - resolution);
}
