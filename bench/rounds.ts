import { type Candidate, type Running, Skipped } from "./candidates/candidate.js";
import type { Stage } from "./stage.js";

/** A share of one processor from which on a round is marked: somebody else was at work. */
const foreignShare = 0.1;

export type Rounds<T> = {
  /** One result a round, by the candidate's name. */
  results: ReadonlyMap<string, readonly T[]>;
  /** Why candidates are missing. */
  skipped: ReadonlyMap<string, string>;
};

/**
 * Measures all candidates in each round, forwards and backwards by turns, so that what drifts on the machine hits all
 * of them alike. All of them run all the time; those whose turn it is not have nothing to do.
 */
export async function inRounds<T>(
  stage: Stage,
  candidates: readonly Candidate[],
  rounds: number,
  { warm, measure }: { warm(running: Running): Promise<unknown>; measure(running: Running): Promise<T> },
): Promise<Rounds<T>> {
  const skipped = new Map<string, string>();
  const running = new Map<string, Running>();
  const results = new Map<string, T[]>();
  try {
    for (const candidate of candidates) {
      try {
        running.set(candidate.name, await candidate.start(stage));
        results.set(candidate.name, []);
      } catch (error) {
        if (!(error instanceof Skipped)) throw error;
        skipped.set(candidate.name, error.message);
      }
    }
    for (const each of running.values()) await warm(each);
    for (let round = 0; round < rounds; round++) {
      const order = [...running];
      if (round % 2 === 1) order.reverse();
      for (const [name, each] of order) results.get(name)?.push(await measure(each));
      process.stderr.write(".");
    }
  } finally {
    await Promise.all([...running.values()].map(({ child }) => child?.stop()));
  }
  return { results, skipped };
}

/** Why candidates are missing, as notes below a table. */
export function absences(skipped: ReadonlyMap<string, string>): string[] {
  return [...skipped].map(([name, why]) => `- ${name}: ${why}.`);
}

/** A fast wrong answer is worth nothing: how many there were, and what is wrong with the first. */
export function wrongAnswers(name: string, wrong: number, complaint: string | undefined): string[] {
  return wrong === 0 ? [] : [`- **${name}: ${wrong} wrong answers** (${complaint?.slice(0, 200)})`];
}

/** The mark of rounds that others disturbed, as the tables show it. */
export function disturbed(shares: readonly number[]): string {
  const count = shares.filter((share) => share > foreignShare).length;
  return count === 0 ? "" : `${count} of ${shares.length}`;
}
