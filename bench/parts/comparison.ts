import { selectCandidates } from "../candidates/all.js";
import type { Candidate, RunningCandidate } from "../candidates/candidate.js";
import { naiveRelay, noGateway } from "../candidates/relays.js";
import type { BenchEnvironment } from "../environment.js";
import type { LoadProfile } from "../load/load-profile.js";
import { type Measurement, measureLoad } from "../measurement.js";
import { formatNumber } from "../report/table.js";
import { formatDisturbedRounds, invalidAnswerNotes, measureInRounds, skippedNotes } from "../rounds.js";
import type { Settings } from "../settings.js";
import { median, quantile } from "../statistics.js";
import type { PartResult } from "./part.js";

/**
 * The metrics of one round: latencies in ms, processor time in µs, shares of one processor in % (`foreignCpuShare`: 0 to
 * 1), memory in bytes.
 */
export type RoundSummary = ReturnType<typeof summarize>;
/** A metric with a numeric value. */
type Metric = Exclude<keyof RoundSummary, "firstFailure">;

/** The results of one candidate, formatted for the cells of its row. */
export class CandidateResults {
  readonly name: string;
  readonly rounds: readonly RoundSummary[];
  readonly #byCandidate: ReadonlyMap<string, readonly RoundSummary[]>;

  constructor(name: string, byCandidate: ReadonlyMap<string, readonly RoundSummary[]>) {
    this.name = name;
    this.rounds = byCandidate.get(name) ?? [];
    this.#byCandidate = byCandidate;
  }

  /** The median over the rounds. */
  median(metric: Metric): string {
    return formatNumber(medianOf(this.rounds, metric));
  }

  /**
   * The ratio to another candidate in the same round, as the median over the rounds. Empty if the other one is this
   * candidate, or was not measured.
   */
  ratio(metric: Metric, other: Candidate): string {
    const otherRounds = this.#byCandidate.get(other.name);
    if (!otherRounds || other.name === this.name) return "";
    return formatNumber(
      median(this.rounds.map((round, index) => round[metric] / (otherRounds[index]?.[metric] ?? Number.NaN))),
    );
  }

  /** The median minus that of `noGateway`: what the candidate adds to a latency. */
  differenceToNoGateway(metric: Metric): string {
    return formatNumber(
      medianOf(this.rounds, metric) - medianOf(this.#byCandidate.get(noGateway.name) ?? [], metric),
    );
  }
}

/** A column of the table, with the text of its cell for a candidate. */
export type Column = { title: string; cell(results: CandidateResults): string };

/** What is compared: the load, and the columns of the table. */
export type Comparison = {
  title: string;
  columns: readonly Column[];
  /** The load for a candidate; undefined if the candidate does not support it. */
  profile(running: RunningCandidate): LoadProfile | undefined;
};

/** The last columns of every comparison. */
const commonColumns: readonly Column[] = [
  {
    title: "CPU of it / fake / load, %",
    cell: (results) =>
      `${results.median("cpuShare")} / ${results.median("fakeCpuShare")} / ${results.median("loadCpuShare")}`,
  },
  {
    title: "disturbed",
    cell: ({ rounds }) => formatDisturbedRounds(rounds.map(({ foreignCpuShare }) => foreignCpuShare)),
  },
];

/** Measures all selected candidates under the same load, in rounds, and returns a table with one row for each. */
export async function compare(
  environment: BenchEnvironment,
  settings: Settings,
  comparison: Comparison,
): Promise<PartResult> {
  const measure = async (running: RunningCandidate, settleSeconds: number, durationSeconds: number) => {
    const profile = comparison.profile(running);
    return (
      profile &&
      summarize(
        await measureLoad(environment, running, {
          profile,
          settleSeconds,
          durationSeconds,
        }),
      )
    );
  };
  const { results, skipped } = await measureInRounds(
    environment,
    selectCandidates(settings),
    settings.rounds,
    {
      warmUp: (running) => measure(running, settings.warmUpSeconds, 0.1),
      measure: (running) => measure(running, settings.settleSeconds, settings.windowSeconds),
    },
  );
  const byCandidate = new Map(
    [...results].flatMap(([name, rounds]) => {
      const measured = rounds.filter((round) => round !== undefined);
      return measured.length > 0 ? [[name, measured]] : [];
    }),
  );
  const columns = [...comparison.columns, ...commonColumns];
  return {
    data: Object.fromEntries(byCandidate),
    table: {
      title: comparison.title,
      columns: ["candidate", ...columns.map(({ title }) => title)],
      rows: [...byCandidate.keys()].map((name) => {
        const results = new CandidateResults(name, byCandidate);
        return [name, ...columns.map(({ cell }) => cell(results))];
      }),
      notes: [...skippedNotes(skipped), ...failureNotes(byCandidate)],
    },
  };
}

/** Three columns for a metric of processor time: its value, and its ratio to nginx and to the naive relay. */
export function cpuColumns(title: string, metric: Metric, nginx: Candidate): Column[] {
  return [
    { title, cell: (results) => results.median(metric) },
    { title: "× nginx", cell: (results) => results.ratio(metric, nginx) },
    { title: "× naive relay", cell: (results) => results.ratio(metric, naiveRelay) },
  ];
}

/** The cell of the candidate's memory in MB. */
export function megabytes({ rounds }: CandidateResults): string {
  return formatNumber(medianOf(rounds, "memory") / 1e6);
}

function summarize(measurement: Measurement) {
  const { seconds, answers, deltas, cpuTime, firstDeltaLatencies, deltaDelays, eventLoop } = measurement;
  return {
    cpuPerDelta: (cpuTime * 1_000) / deltas,
    cpuPerAnswer: (cpuTime * 1_000) / answers,
    deltasPerSecond: deltas / seconds,
    answersPerSecond: answers / seconds,
    firstDeltaP50: quantile(firstDeltaLatencies, 0.5),
    firstDeltaP99: quantile(firstDeltaLatencies, 0.99),
    deltaDelayP50: quantile(deltaDelays, 0.5),
    deltaDelayP99: quantile(deltaDelays, 0.99),
    memory: measurement.memory,
    eventLoopP99: eventLoop?.p99 ?? Number.NaN,
    cpuShare: (cpuTime / seconds / 1_000) * 100,
    fakeCpuShare: measurement.fakeCpuShare * 100,
    loadCpuShare: measurement.loadCpuShare * 100,
    foreignCpuShare: measurement.foreignCpuShare,
    invalidAnswers: measurement.invalidAnswers,
    firstFailure: measurement.firstFailure,
  };
}

function medianOf(rounds: readonly RoundSummary[], metric: Metric): number {
  return median(rounds.map((round) => round[metric]));
}

function failureNotes(byCandidate: ReadonlyMap<string, readonly RoundSummary[]>): string[] {
  return [...byCandidate].flatMap(([name, rounds]) => {
    const invalidAnswers = rounds.reduce((sum, round) => sum + round.invalidAnswers, 0);
    const firstFailure = rounds.find((round) => round.firstFailure !== undefined)?.firstFailure;
    return invalidAnswerNotes(name, invalidAnswers, firstFailure);
  });
}
