import { setTimeout } from "node:timers/promises";
import { candidatesFor } from "../candidates/all.js";
import { type Running, Skipped } from "../candidates/candidate.js";
import { noGateway } from "../candidates/relays.js";
import type { Mark, Outcome } from "../load/work.js";
import { cpuOf } from "../proc.js";
import { figure } from "../report/table.js";
import { absences, wrongAnswers } from "../rounds.js";
import type { Settings } from "../settings.js";
import { Stage } from "../stage.js";
import { median, quantile } from "../statistics.js";
import { deltasAnAnswer as deltas, pace, streams } from "./paced.js";
import type { Part } from "./part.js";

/** A candidate that works, with a fake upstream and a load client of its own. */
type Worker = { name: string; stage: Stage; running: Running };

/**
 * The load of `paced` in equal shares on all candidates at the same time. What drifts on the machine hits them in the
 * same moment, so a ratio is exact to a few per cent; but they crowd each other out of the processor's caches, so it is
 * for comparing builds, and the absolute figures mean nothing.
 */
export const together: Part = async (_stage, settings) => {
  const { workers, skipped } = await startAll(settings);
  try {
    if (workers.length < 2) throw new Error("Together takes two candidates or more.");
    const share = Math.floor(streams / workers.length);
    for (const { stage, running } of workers) {
      const work = { target: running.streams, streams: share, pace, deltas, rest: 0, stagger: pace * deltas };
      await stage.load.call("begin", { ...work, record: false });
    }
    await setTimeout(settings.warmSeconds * 1_000);
    const samples: number[][] = workers.map(() => []);
    for (let round = 0; round < settings.rounds; round++) {
      const costs = await costsOf(workers, settings.windowSeconds);
      for (const [at, cost] of costs.entries()) samples[at]?.push(cost);
      process.stderr.write(".");
    }
    const outcomes = await Promise.all(
      workers.map(({ stage }) => stage.load.call<Outcome>("end", { cut: false })),
    );
    return {
      data: Object.fromEntries(workers.map(({ name }, at) => [name, samples[at]])),
      table: {
        title: `Together: ${streams} streams of ${1_000 / pace} deltas a second on all at the same time, ${deltas} deltas an answer`,
        columns: ["candidate", "CPU per delta, µs", `× ${workers[0]?.name}`, "from – to", "wrong answers"],
        rows: workers.map(({ name }, at) => [
          name,
          figure(median(samples[at] ?? [])),
          ...(at === 0 ? ["", ""] : ratioCells(samples[at] ?? [], samples[0] ?? [])),
          figure(outcomes[at]?.wrong ?? Number.NaN),
        ]),
        notes: [
          ...absences(skipped),
          ...outcomes.flatMap(({ wrong, complaint }, at) =>
            wrongAnswers(workers[at]?.name ?? "", wrong, complaint),
          ),
        ],
      },
    };
  } finally {
    await Promise.all(
      workers.map(async ({ stage, running }) => {
        await running.child?.stop();
        await stage.close();
      }),
    );
  }
};

function ratioCells(costs: readonly number[], others: readonly number[]): string[] {
  const ratios = costs.map((cost, round) => cost / (others[round] ?? Number.NaN));
  return [figure(median(ratios)), `${figure(quantile(ratios, 0))} – ${figure(quantile(ratios, 1))}`];
}

async function startAll(settings: Settings) {
  const workers: Worker[] = [];
  const skipped = new Map<string, string>();
  for (const candidate of candidatesFor(settings).filter(({ name }) => name !== noGateway.name)) {
    const stage = await Stage.open(settings);
    try {
      workers.push({ name: candidate.name, stage, running: await candidate.start(stage) });
    } catch (error) {
      await stage.close();
      if (!(error instanceof Skipped)) throw error;
      skipped.set(candidate.name, error.message);
    }
  }
  return { workers, skipped };
}

/** Microseconds of processor time a delta, of each. */
async function costsOf(workers: readonly Worker[], seconds: number): Promise<number[]> {
  const look = () =>
    Promise.all(
      workers.map(async ({ stage, running }) => {
        const { deltas: heard } = await stage.load.call<Mark>("mark");
        return { heard, cpu: cpuOf(running.child?.pids ?? []) };
      }),
    );
  const before = await look();
  await setTimeout(seconds * 1_000);
  const after = await look();
  return after.map(({ heard, cpu }, at) => {
    const from = before[at] ?? { heard: 0, cpu: 0 };
    return ((cpu - from.cpu) * 1_000) / (heard - from.heard);
  });
}
