import { setTimeout } from "node:timers/promises";
import { gatewayTarget, startGateway } from "../candidates/moonbridge.js";
import type { EventLoopReport } from "../gateway-preload.js";
import type { LoadProfile, LoadProgress, LoadResult } from "../load/load-profile.js";
import { countOpenFiles, cpuTime, residentMemory } from "../proc.js";
import { formatNumber } from "../report/table.js";
import { median } from "../statistics.js";
import type { Part } from "./part.js";

/** The share of one processor that the gateway should use. */
const targetCpuShare = 0.6;
/** The load is adjusted to the target times this, since the code needs less CPU when V8 has compiled all of it. */
const compilationMargin = 1.15;
const pace = 20;
const deltas = 100;
/** The number of streams in the first minute. */
const initialStreams = 100;

/** Minutes before the first sample, for V8 to compile the code and for pools to fill. After each the load is adjusted. */
const warmUpMinutes = 3;

/** Values at one moment: memory in bytes; `deltas` received so far; `cpuShare` of one processor since the last sample. */
type Sample = {
  minute: number;
  memory: number;
  openFiles: number;
  activeResources: number;
  heapUsed: number;
  cpuShare: number;
  deltas: number;
};

/** Steady load for a long time, with a sample every 15 s: do memory or handles grow, does every byte stay valid? */
export const soak: Part = async (environment, { soakMinutes }) => {
  if (soakMinutes <= warmUpMinutes) throw new Error(`A soak takes more than ${warmUpMinutes} minutes.`);
  const gateway = await startGateway(environment);
  const { child } = gateway;
  const target = gatewayTarget(gateway.port, "chat", true, { kind: "chat-chunks" });
  const profileFor = (streams: number): LoadProfile => ({
    ...{ target, streams, pace, deltas, pause: 5, rampUp: pace * deltas, recordTimings: false },
  });
  const measureCpuShare = async (milliseconds: number) => {
    const [cpuBefore, startedAt] = [cpuTime(child.pids), performance.now()];
    await setTimeout(milliseconds);
    return (cpuTime(child.pids) - cpuBefore) / (performance.now() - startedAt);
  };

  const results: LoadResult[] = [];
  let streams = initialStreams;
  for (let minute = 0; minute < warmUpMinutes; minute++) {
    await environment.loadClient.call("start", profileFor(streams));
    await setTimeout(30_000);
    streams = Math.max(
      1,
      Math.round((streams * targetCpuShare * compilationMargin) / (await measureCpuShare(30_000))),
    );
    results.push(await environment.loadClient.call<LoadResult>("stop", { abort: false }));
    process.stderr.write(".");
  }

  await environment.loadClient.call("start", profileFor(streams));
  const samples: Sample[] = [];
  const startedAt = performance.now();
  for (let minute = 0.25; minute <= soakMinutes - warmUpMinutes; minute += 0.25) {
    const cpuShare = await measureCpuShare(Math.max(0, startedAt + minute * 60_000 - performance.now()));
    const { activeResources, heapUsed } = await child.call<EventLoopReport>("report");
    const { deltas: deltasSoFar } = await environment.loadClient.call<LoadProgress>("progress");
    const openFiles = child.pids.reduce((sum, pid) => sum + countOpenFiles(pid), 0);
    samples.push({
      minute,
      memory: residentMemory(child.pids),
      openFiles,
      activeResources,
      heapUsed,
      cpuShare,
      deltas: deltasSoFar,
    });
    if (Number.isInteger(minute)) process.stderr.write(".");
  }
  results.push(await environment.loadClient.call<LoadResult>("stop", { abort: false }));
  await child.stop();

  const invalidAnswers = results.reduce((sum, result) => sum + result.invalidAnswers, 0);
  const answers = results.reduce((sum, result) => sum + result.answers, 0);
  const firstFailure = results.find((result) => result.firstFailure !== undefined)?.firstFailure;
  const third = Math.ceil(samples.length / 3);
  const formatChange = (metric: "memory" | "heapUsed" | "openFiles" | "activeResources", unit: number) => {
    const [first, last] = [samples.slice(0, third), samples.slice(-third)].map((thirdOfSamples) =>
      median(thirdOfSamples.map((sample) => sample[metric] / unit)),
    );
    return `${formatNumber(first ?? Number.NaN)} → ${formatNumber(last ?? Number.NaN)}`;
  };
  return {
    data: { streams, samples, invalidAnswers, firstFailure, answers },
    table: {
      title: `Soak: ${soakMinutes} minutes at ${Math.round(targetCpuShare * 100)} % of one processor (${streams} streams of ${1_000 / pace} deltas a second)`,
      columns: ["CPU, %", "answers", "wrong", "memory, MB", "heap, MB", "open files", "handles in Node"],
      rows: [
        [
          formatNumber(100 * median(samples.map(({ cpuShare }) => cpuShare))),
          formatNumber(answers),
          invalidAnswers === 0 ? "0" : `**${invalidAnswers}** (${firstFailure?.slice(0, 100)})`,
          formatChange("memory", 1e6),
          formatChange("heapUsed", 1e6),
          formatChange("openFiles", 1),
          formatChange("activeResources", 1),
        ],
      ],
      notes: [`- Growth: the median of the first third after ${warmUpMinutes} minutes → of the last third.`],
    },
  };
};
