import { setTimeout } from "node:timers/promises";
import { selectCandidates } from "../candidates/all.js";
import { CandidateUnavailable, type RunningCandidate } from "../candidates/candidate.js";
import { noGateway } from "../candidates/relays.js";
import type { BenchEnvironment } from "../environment.js";
import type { LoadProfile, LoadProgress, LoadResult } from "../load/load-profile.js";
import { cpuTime, residentMemory } from "../proc.js";
import { formatNumber } from "../report/table.js";
import { invalidAnswerNotes } from "../rounds.js";
import type { Settings } from "../settings.js";
import { median } from "../statistics.js";
import type { Part } from "./part.js";

const pace = 1_000;

/** `before`, `during`, `after`: resident memory in bytes; `cpuShare`: share of one processor while the streams were open. */
type HeldStreams = {
  before: number;
  during: number;
  after: number;
  openStreams: number;
  cpuShare: number;
  loadResult: LoadResult;
};

/** The memory of an open stream: thousands are held open, each with one delta per second. */
export const memory: Part = async (environment, settings) => {
  const rows: string[][] = [];
  const notes: string[] = [];
  const data: Record<string, HeldStreams> = {};
  for (const candidate of selectCandidates(settings).filter(({ name }) => name !== noGateway.name)) {
    for (const streams of settings.openStreams) {
      const running = await candidate.start(environment).catch((error: unknown) => {
        if (!(error instanceof CandidateUnavailable)) throw error;
        notes.push(`- ${candidate.name}: ${error.message}.`);
        return undefined;
      });
      if (!running) break;
      const result = await holdStreams(environment, settings, running, streams);
      await running.child?.stop();
      process.stderr.write(".");
      data[`${candidate.name}, ${streams}`] = result;
      const { before, during, after, openStreams, cpuShare, loadResult } = result;
      notes.push(...invalidAnswerNotes(candidate.name, loadResult.invalidAnswers, loadResult.firstFailure));
      rows.push([
        candidate.name,
        formatNumber(openStreams),
        formatNumber((during - before) / openStreams / 1_024),
        [before, during, after].map((bytes) => formatNumber(bytes / 1e6)).join(" / "),
        `${formatNumber((after / before - 1) * 100)} %`,
        formatNumber(cpuShare * 100),
      ]);
    }
  }
  return {
    data,
    table: {
      title: "Memory: streams held open, a delta a second on each",
      columns: [
        "candidate",
        "streams",
        "KB a stream",
        "MB before / during / after",
        "after over before",
        "CPU, %",
      ],
      rows,
      notes,
    },
  };
};

/** Warms the candidate up, holds `streams` streams open for `settings.holdSeconds`, and lets it become idle again. */
async function holdStreams(
  environment: BenchEnvironment,
  settings: Settings,
  running: RunningCandidate,
  streams: number,
): Promise<HeldStreams> {
  const pids = () => running.child?.pids ?? [];
  const target = running.streaming;
  const rampUp = settings.quick ? 500 : streams * 2;
  const durationSeconds = rampUp / 1_000 + settings.holdSeconds;
  await environment.loadClient.call("start", warmUpProfile(running));
  await setTimeout(settings.warmUpSeconds * 1_000);
  await environment.loadClient.call("stop", { abort: false });
  await setTimeout(settings.quick ? 500 : 5_000);

  const before = residentMemory(pids());
  const profile: LoadProfile = {
    target,
    streams,
    pace,
    deltas: Math.ceil(durationSeconds) + 2,
    pause: 0,
    rampUp,
    recordTimings: false,
  };
  await environment.loadClient.call("start", profile);
  await setTimeout(rampUp + (settings.holdSeconds * 1_000) / 2);
  const [cpuBefore, startedAt] = [cpuTime(pids()), performance.now()];
  const samples: number[] = [];
  for (let sample = 0; sample < 5; sample++) {
    await setTimeout((settings.holdSeconds * 1_000) / 10);
    samples.push(residentMemory(pids()));
  }
  const cpuShare = (cpuTime(pids()) - cpuBefore) / (performance.now() - startedAt);
  const { openStreams } = await environment.loadClient.call<LoadProgress>("progress");
  const loadResult = await environment.loadClient.call<LoadResult>("stop", { abort: false });
  await setTimeout(settings.quick ? 1_000 : 80_000);
  return {
    before,
    during: median(samples),
    after: residentMemory(pids()),
    openStreams,
    cpuShare,
    loadResult,
  };
}

/** Load that lets V8 compile the code and fills connection pools before memory is measured. */
function warmUpProfile({ streaming: target }: RunningCandidate): LoadProfile {
  return { target, streams: 50, pace: 0, deltas: 50, pause: 20, rampUp: 500, recordTimings: false };
}
