import { parseArgs } from "node:util";

const usage = `npm run bench -- [options]
  --only a,b       parts, by the names of their files in bench/parts (default: all but soak)
  --rows a,b       rows whose name contains one of these, such as nginx, naive, kimi-web (default: all)
  --baseline x     also measures another build: a folder in which it is built, or a revision of this repository
  --rounds n       interleaved rounds, of which the median is shown (default: 5)
  --seconds n      length of one measurement (default: 5); a row is warmed up for twice as long
  --minutes n      length of the soak, more than 3 (default: 20)
  --profile        each gateway leaves a .cpuprofile in bench/results/profiles`;

export type Settings = ReturnType<typeof readSettings>;

/** The settings of a command line. Prints the error and the usage and exits with 1 if it is invalid. */
export function readSettings<Name extends string>(args: string[], parts: readonly Name[]) {
  const text = { type: "string" } as const;
  const texts = { only: text, rows: text, baseline: text, rounds: text, seconds: text, minutes: text };
  try {
    const { values } = parseArgs({
      args,
      options: { ...texts, profile: { type: "boolean", default: false } },
    });
    const { baseline, profile, only, rows = "", rounds = "5", seconds = "5", minutes = "20" } = values;
    const unknown = only?.split(",").find((name) => !parts.some((part) => part === name));
    if (unknown !== undefined) throw new Error(`There is no part “${unknown}”, only ${parts.join(", ")}.`);
    const numbers = { rounds: Number(rounds), seconds: Number(seconds), minutes: Number(minutes) };
    if (!Object.values(numbers).every((number) => number > 0)) throw new Error("A number is not above 0.");
    const selected = parts.filter((name) => (only ? only.split(",").includes(name) : name !== "soak"));
    return { ...numbers, baseline, profile, only: selected, rows: rows.split(",") };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}\n`);
    process.exit(1);
  }
}
