import { candidatesFor } from "../candidates/all.js";
import type { Candidate, Running } from "../candidates/candidate.js";
import { naiveRelay, noGateway } from "../candidates/relays.js";
import type { Work } from "../load/work.js";
import { figure } from "../report/table.js";
import { absences, disturbed, inRounds, wrongAnswers } from "../rounds.js";
import type { Settings } from "../settings.js";
import type { Stage } from "../stage.js";
import { median, quantile } from "../statistics.js";
import { lookThrough, type Window } from "../window.js";
import type { Finding } from "./part.js";

/** One window in figures. Times in milliseconds, processor time in microseconds, memory in bytes. */
export type Round = ReturnType<typeof condense>;
type Figure = Exclude<keyof Round, "complaint">;

/** What a cell of the table is made from. */
export class Look {
  readonly name: string;
  readonly rounds: readonly Round[];
  readonly #all: ReadonlyMap<string, readonly Round[]>;

  constructor(name: string, all: ReadonlyMap<string, readonly Round[]>) {
    this.name = name;
    this.rounds = all.get(name) ?? [];
    this.#all = all;
  }

  /** The median over the rounds. */
  middle(key: Figure): string {
    return figure(medianOf(this.rounds, key));
  }

  /** The median of the ratios within the rounds; empty where it is compared with itself or with nobody. */
  ratio(key: Figure, to: Candidate): string {
    const others = this.#all.get(to.name);
    if (!others || to.name === this.name) return "";
    return figure(median(this.rounds.map((round, at) => round[key] / (others[at]?.[key] ?? Number.NaN))));
  }

  /** What it adds to the same figure without any gateway. */
  added(key: Figure): string {
    return figure(medianOf(this.rounds, key) - medianOf(this.#all.get(noGateway.name) ?? [], key));
  }
}

export type Column = { title: string; cell(look: Look): string };

export type Comparison = {
  title: string;
  columns: readonly Column[];
  /** What a candidate is given to do; undefined where it cannot. */
  work(running: Running): Work | undefined;
};

/** Columns that every comparison ends with. */
const hygiene: readonly Column[] = [
  {
    title: "CPU of it / fake / load, %",
    cell: (look) => `${look.middle("share")} / ${look.middle("fakeShare")} / ${look.middle("loadShare")}`,
  },
  { title: "disturbed", cell: ({ rounds }) => disturbed(rounds.map(({ foreignShare }) => foreignShare)) },
];

/** Measures all candidates at the same work, in rounds. */
export async function compare(stage: Stage, settings: Settings, comparison: Comparison): Promise<Finding> {
  const look = async (running: Running, settle: number, seconds: number) => {
    const work = comparison.work(running);
    return work && condense(await lookThrough(stage, running, { work, settle, seconds }));
  };
  const { results, skipped } = await inRounds(stage, candidatesFor(settings), settings.rounds, {
    warm: (running) => look(running, settings.warmSeconds, 0.1),
    measure: (running) => look(running, settings.settleSeconds, settings.windowSeconds),
  });
  const able = new Map(
    [...results].flatMap(([name, rounds]) => {
      const measured = rounds.filter((round) => round !== undefined);
      return measured.length > 0 ? [[name, measured]] : [];
    }),
  );
  const columns = [...comparison.columns, ...hygiene];
  return {
    data: Object.fromEntries(able),
    table: {
      title: comparison.title,
      columns: ["candidate", ...columns.map(({ title }) => title)],
      rows: [...able.keys()].map((name) => {
        const row = new Look(name, able);
        return [name, ...columns.map(({ cell }) => cell(row))];
      }),
      notes: [...absences(skipped), ...complaints(able)],
    },
  };
}

/** The columns of processor time: absolute, and beside the two relays that everybody knows. */
export function cpuColumns(title: string, key: Figure, nginx: Candidate): Column[] {
  return [
    { title, cell: (look) => look.middle(key) },
    { title: "× nginx", cell: (look) => look.ratio(key, nginx) },
    { title: "× naive relay", cell: (look) => look.ratio(key, naiveRelay) },
  ];
}

export function megabytes({ rounds }: Look): string {
  return figure(medianOf(rounds, "memory") / 1e6);
}

function condense(window: Window) {
  const { seconds, answers, deltas, cpu, firstDeltas, delays, loop } = window;
  return {
    cpuPerDelta: (cpu * 1_000) / deltas,
    cpuPerAnswer: (cpu * 1_000) / answers,
    deltasPerSecond: deltas / seconds,
    answersPerSecond: answers / seconds,
    first50: quantile(firstDeltas, 0.5),
    first99: quantile(firstDeltas, 0.99),
    delay50: quantile(delays, 0.5),
    delay99: quantile(delays, 0.99),
    memory: window.memory,
    loop99: loop?.p99 ?? Number.NaN,
    share: (cpu / seconds / 1_000) * 100,
    fakeShare: window.fakeShare * 100,
    loadShare: window.loadShare * 100,
    foreignShare: window.foreignShare,
    wrong: window.wrong,
    complaint: window.complaint,
  };
}

function medianOf(rounds: readonly Round[], key: Figure): number {
  return median(rounds.map((round) => round[key]));
}

function complaints(results: ReadonlyMap<string, readonly Round[]>): string[] {
  return [...results].flatMap(([name, rounds]) => {
    const wrong = rounds.reduce((sum, round) => sum + round.wrong, 0);
    const first = rounds.find(({ complaint }) => complaint !== undefined)?.complaint;
    return wrongAnswers(name, wrong, first);
  });
}
