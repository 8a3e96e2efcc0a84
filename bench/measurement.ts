import { setTimeout } from "node:timers/promises";
import type { RunningCandidate } from "./candidates/candidate.js";
import type { BenchEnvironment } from "./environment.js";
import type { EventLoopReport } from "./gateway-preload.js";
import type { LoadProfile, LoadProgress, LoadResult } from "./load/load-profile.js";
import { cpuTime, machineCpuTime, residentMemory } from "./proc.js";

/** How a candidate is loaded and for how long it is measured. */
export type MeasurementOptions = {
  profile: LoadProfile;
  /** The time from the start of the last stream to the start of the measurement. */
  settleSeconds: number;
  durationSeconds: number;
  /** Whether running answers are aborted at the end instead of being received completely. */
  abortAtEnd?: boolean;
};

/** The result of one measurement. Times are in milliseconds unless the name has another unit; memory is in bytes. */
export type Measurement = {
  seconds: number;
  answers: number;
  deltas: number;
  invalidAnswers: number;
  firstFailure: string | undefined;
  /** Processor time of the candidate. */
  cpuTime: number;
  /** Processor time as a share of one processor (1 is all of it): the fake upstream. */
  fakeCpuShare: number;
  /** The same for the load client. */
  loadCpuShare: number;
  /** The same for all processes outside the benchmark. */
  foreignCpuShare: number;
  memory: number;
  /** The times from the request to the first delta, for requests that were sent during the measurement. */
  firstDeltaLatencies: number[];
  /** The times from the upstream's write of a delta to the client's read, for deltas that arrived during the measurement. */
  deltaDelays: number[];
  /** Undefined if the candidate does not report it. */
  eventLoop: EventLoopReport | undefined;
};

/** Load counters, and the milliseconds of processor time that each process has used so far. */
type Snapshot = {
  progress: LoadProgress;
  candidate: number;
  fakeUpstream: number;
  loadClient: number;
  mainProcess: number;
  machine: number;
};

/**
 * Starts the load, waits for the ramp-up and `settleSeconds`, measures for `durationSeconds`, and stops the load. Rejects
 * if a process of the benchmark has ended.
 */
export async function measureLoad(
  environment: BenchEnvironment,
  running: RunningCandidate,
  options: MeasurementOptions,
): Promise<Measurement> {
  const { profile, settleSeconds, durationSeconds, abortAtEnd = false } = options;
  if (profile.recordTimings) await environment.fakeUpstream.call("startRecording");
  await environment.loadClient.call("start", profile);
  await setTimeout(profile.rampUp + settleSeconds * 1_000);
  if (running.reportsEventLoop) await running.child?.call("startMeasuring");
  const before = await takeSnapshot(environment, running);
  await setTimeout(durationSeconds * 1_000);
  const after = await takeSnapshot(environment, running);
  const eventLoop = running.reportsEventLoop
    ? await running.child?.call<EventLoopReport>("report")
    : undefined;
  const memory = residentMemory(running.child?.pids ?? []);
  const result = await environment.loadClient.call<LoadResult>("stop", { abort: abortAtEnd });
  const sendTimes = profile.recordTimings
    ? await environment.fakeUpstream.call<Map<number, Float64Array>>("takeSendTimes")
    : new Map();

  const elapsed = after.progress.time - before.progress.time;
  const difference = (source: "candidate" | "fakeUpstream" | "loadClient" | "mainProcess" | "machine") =>
    after[source] - before[source];
  const ownCpuTime =
    difference("candidate") +
    difference("fakeUpstream") +
    difference("loadClient") +
    difference("mainProcess");
  return {
    seconds: elapsed / 1_000,
    answers: after.progress.answers - before.progress.answers,
    deltas: after.progress.deltas - before.progress.deltas,
    invalidAnswers: result.invalidAnswers,
    firstFailure: result.firstFailure,
    cpuTime: difference("candidate"),
    fakeCpuShare: difference("fakeUpstream") / elapsed,
    loadCpuShare: difference("loadClient") / elapsed,
    foreignCpuShare: Math.max(0, difference("machine") - ownCpuTime) / elapsed,
    memory,
    eventLoop,
    ...latencies(result, sendTimes, before.progress.time, after.progress.time),
  };
}

async function takeSnapshot(
  { loadClient, fakeUpstream }: BenchEnvironment,
  { child }: RunningCandidate,
): Promise<Snapshot> {
  const progress = await loadClient.call<LoadProgress>("progress");
  return {
    progress,
    candidate: cpuTime(child?.pids ?? []),
    fakeUpstream: cpuTime(fakeUpstream.pids),
    loadClient: cpuTime(loadClient.pids),
    mainProcess: cpuTime([process.pid]),
    machine: machineCpuTime(),
  };
}

/** The latencies of the requests and deltas between the times `from` and `to` (`clock.ts`). */
function latencies(
  { timings }: LoadResult,
  sendTimes: ReadonlyMap<number, Float64Array>,
  from: number,
  to: number,
): Pick<Measurement, "firstDeltaLatencies" | "deltaDelays"> {
  const firstDeltaLatencies: number[] = [];
  const deltaDelays: number[] = [];
  for (const { answerNumber, sentAt, deltaTimes } of timings) {
    if (sentAt >= from && sentAt < to) firstDeltaLatencies.push((deltaTimes[0] ?? Number.NaN) - sentAt);
    const answerSendTimes = sendTimes.get(answerNumber);
    if (!answerSendTimes) continue;
    deltaTimes.forEach((time, index) => {
      if (time >= from && time < to) deltaDelays.push(time - (answerSendTimes[index] ?? Number.NaN));
    });
  }
  return { firstDeltaLatencies, deltaDelays };
}
