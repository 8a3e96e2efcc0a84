import { setTimeout } from "node:timers/promises";
import { selectCandidates } from "../candidates/all.js";
import { CandidateUnavailable, type RunningCandidate } from "../candidates/candidate.js";
import { noGateway } from "../candidates/relays.js";
import { BenchEnvironment } from "../environment.js";
import type { LoadProgress, LoadResult } from "../load/load-profile.js";
import { cpuTime } from "../proc.js";
import { formatNumber } from "../report/table.js";
import { invalidAnswerNotes, skippedNotes } from "../rounds.js";
import type { Settings } from "../settings.js";
import { median, quantile } from "../statistics.js";
import { deltasPerAnswer as deltas, pace, streams } from "./paced.js";
import type { Part } from "./part.js";

/** A candidate under load, with a separate fake upstream and load client. */
type LoadedCandidate = { name: string; environment: BenchEnvironment; running: RunningCandidate };

/**
 * The load of `paced`, divided equally among all candidates, which run at the same time. Drift of the machine affects them
 * equally, so ratios are exact to a few per cent. But they compete for the processor's caches: this part is for comparing
 * builds, and its absolute values are not meaningful.
 */
export const together: Part = async (_environment, settings) => {
  const { loaded, skipped } = await startCandidates(settings);
  try {
    if (loaded.length < 2) throw new Error("Together takes two candidates or more.");
    const streamsEach = Math.floor(streams / loaded.length);
    for (const { environment, running } of loaded) {
      const profile = {
        target: running.streaming,
        streams: streamsEach,
        pace,
        deltas,
        pause: 0,
        rampUp: pace * deltas,
        recordTimings: false,
      };
      await environment.loadClient.call("start", profile);
    }
    await setTimeout(settings.warmUpSeconds * 1_000);
    const samples: number[][] = loaded.map(() => []);
    for (let round = 0; round < settings.rounds; round++) {
      const costsPerDelta = await measureCosts(loaded, settings.windowSeconds);
      for (const [index, cost] of costsPerDelta.entries()) samples[index]?.push(cost);
      process.stderr.write(".");
    }
    const results = await Promise.all(
      loaded.map(({ environment }) => environment.loadClient.call<LoadResult>("stop", { abort: false })),
    );
    return {
      data: Object.fromEntries(loaded.map(({ name }, index) => [name, samples[index]])),
      table: {
        title: `Together: ${streams} streams of ${1_000 / pace} deltas a second on all at the same time, ${deltas} deltas an answer`,
        columns: ["candidate", "CPU per delta, µs", `× ${loaded[0]?.name}`, "from – to", "wrong answers"],
        rows: loaded.map(({ name }, index) => [
          name,
          formatNumber(median(samples[index] ?? [])),
          ...(index === 0 ? ["", ""] : ratioCells(samples[index] ?? [], samples[0] ?? [])),
          formatNumber(results[index]?.invalidAnswers ?? Number.NaN),
        ]),
        notes: [
          ...skippedNotes(skipped),
          ...results.flatMap(({ invalidAnswers, firstFailure }, index) =>
            invalidAnswerNotes(loaded[index]?.name ?? "", invalidAnswers, firstFailure),
          ),
        ],
      },
    };
  } finally {
    await Promise.all(
      loaded.map(async ({ environment, running }) => {
        await running.child?.stop();
        await environment.close();
      }),
    );
  }
};

/** The median, and the smallest and largest, of each round's ratio to the first candidate. */
function ratioCells(costs: readonly number[], firstCosts: readonly number[]): string[] {
  const ratios = costs.map((cost, round) => cost / (firstCosts[round] ?? Number.NaN));
  return [
    formatNumber(median(ratios)),
    `${formatNumber(quantile(ratios, 0))} – ${formatNumber(quantile(ratios, 1))}`,
  ];
}

async function startCandidates(settings: Settings) {
  const loaded: LoadedCandidate[] = [];
  const skipped = new Map<string, string>();
  for (const candidate of selectCandidates(settings).filter(({ name }) => name !== noGateway.name)) {
    const environment = await BenchEnvironment.open(settings);
    try {
      loaded.push({ name: candidate.name, environment, running: await candidate.start(environment) });
    } catch (error) {
      await environment.close();
      if (!(error instanceof CandidateUnavailable)) throw error;
      skipped.set(candidate.name, error.message);
    }
  }
  return { loaded, skipped };
}

/** Microseconds of processor time per delta, of each candidate. */
async function measureCosts(loaded: readonly LoadedCandidate[], seconds: number): Promise<number[]> {
  const takeSnapshots = () =>
    Promise.all(
      loaded.map(async ({ environment, running }) => {
        const { deltas } = await environment.loadClient.call<LoadProgress>("progress");
        return { deltas, cpu: cpuTime(running.child?.pids ?? []) };
      }),
    );
  const before = await takeSnapshots();
  await setTimeout(seconds * 1_000);
  const after = await takeSnapshots();
  return after.map(({ deltas, cpu }, index) => {
    const start = before[index] ?? { deltas: 0, cpu: 0 };
    return ((cpu - start.cpu) * 1_000) / (deltas - start.deltas);
  });
}
