import { type Candidate, CandidateUnavailable, type RunningCandidate } from "./candidates/candidate.js";
import type { BenchEnvironment } from "./environment.js";

/** A round counts as disturbed if other processes took more than this share of one processor. */
const foreignCpuThreshold = 0.1;

/** The results of all rounds. */
export type RoundResults<T> = {
  /** One result for each round, by the candidate's name. */
  results: ReadonlyMap<string, readonly T[]>;
  /** The reason for each candidate that cannot run on this machine or in this version, by its name. */
  skipped: ReadonlyMap<string, string>;
};

/**
 * Measures all candidates in each round, in alternating order, so that drift of the machine affects all of them alike.
 * All of them run the whole time; those that are not being measured are idle.
 */
export async function measureInRounds<T>(
  environment: BenchEnvironment,
  candidates: readonly Candidate[],
  rounds: number,
  {
    warmUp,
    measure,
  }: {
    warmUp(candidate: RunningCandidate): Promise<unknown>;
    measure(candidate: RunningCandidate): Promise<T>;
  },
): Promise<RoundResults<T>> {
  const skipped = new Map<string, string>();
  const running = new Map<string, RunningCandidate>();
  const results = new Map<string, T[]>();
  try {
    for (const candidate of candidates) {
      try {
        running.set(candidate.name, await candidate.start(environment));
        results.set(candidate.name, []);
      } catch (error) {
        if (!(error instanceof CandidateUnavailable)) throw error;
        skipped.set(candidate.name, error.message);
      }
    }
    for (const candidate of running.values()) await warmUp(candidate);
    for (let round = 0; round < rounds; round++) {
      const order = [...running];
      if (round % 2 === 1) order.reverse();
      for (const [name, candidate] of order) results.get(name)?.push(await measure(candidate));
      process.stderr.write(".");
    }
  } finally {
    await Promise.all([...running.values()].map(({ child }) => child?.stop()));
  }
  return { results, skipped };
}

/** The reasons for missing candidates, as notes below a table. */
export function skippedNotes(skipped: ReadonlyMap<string, string>): string[] {
  return [...skipped].map(([name, reason]) => `- ${name}: ${reason}.`);
}

/** A note below a table: the number of invalid answers and the first failure. None if all answers were valid. */
export function invalidAnswerNotes(
  name: string,
  invalidAnswers: number,
  firstFailure: string | undefined,
): string[] {
  return invalidAnswers === 0
    ? []
    : [`- **${name}: ${invalidAnswers} wrong answers** (${firstFailure?.slice(0, 200)})`];
}

/** The cell of the column `disturbed`: how many rounds other processes disturbed; empty for none. */
export function formatDisturbedRounds(foreignCpuShares: readonly number[]): string {
  const count = foreignCpuShares.filter((share) => share > foreignCpuThreshold).length;
  return count === 0 ? "" : `${count} of ${foreignCpuShares.length}`;
}
