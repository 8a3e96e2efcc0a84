import { parseArgs } from "node:util";

const partNames = [
  "paced",
  "long",
  "together",
  "unpaced",
  "first",
  "requests",
  "memory",
  "big",
  "growth",
  "soak",
  "start",
] as const;
/** The name of a part of the benchmark, as in `--only`; its code is in `parts/`. */
export type PartName = (typeof partNames)[number];

/** What is measured and for how long, from the command line. */
export type Settings = {
  /** Whether everything is measured only briefly. */
  quick: boolean;
  /** The parts to run, in the order of `partNames`. */
  only: readonly PartName[];
  /** Only candidates whose name contains one of these. */
  candidates: readonly string[];
  /** The number of measurements of each candidate. */
  rounds: number;
  /** Load before the first measurement of a candidate. */
  warmUpSeconds: number;
  /** Load before each further measurement. */
  settleSeconds: number;
  /** The length of one measurement. */
  windowSeconds: number;
  /** Part `memory`: the numbers of streams that are held open. */
  openStreams: readonly number[];
  /** Part `memory`: how long they are held open. */
  holdSeconds: number;
  /** Part `growth`: the numbers of conversation nodes in the store. */
  storedNodes: readonly number[];
  /** Part `soak`: its length. */
  soakMinutes: number;
  /** The `dist` folder of another build of Moonbridge to compare with. */
  baseline: string | undefined;
  /** Whether gateways write a CPU profile of each measurement. */
  profile: boolean;
  /** Whether the tables are written into docs/reference/performance.md. */
  document: boolean;
};

const usage = `npm run bench -- [options]
  --quick               less of everything, and of Moonbridge over kimi-web only: under two minutes; for a look, no verdict
  --only a,b            parts: ${partNames.join(", ")} (default: all but soak and together; quick: nor long)
  --candidates a,b      candidates whose name contains one of these
  --rounds n            rounds of the interleaved parts (default: 5; quick: 1)
  --warm n              seconds before the first measurement of a candidate (default: 5; quick: 0.5)
  --minutes n           length of the soak, more than 3 (default: 20)
  --baseline dir        the dist folder of another build, to compare this one with
  --profile             each measurement of a gateway leaves a .cpuprofile in bench/results/profiles
  --document            writes the tables into docs/reference/performance.md, each in place of the one before`;

/** The settings of a command line. Prints the error and the usage, and exits with 1, if the command line is invalid. */
export function readSettings(argv: readonly string[]): Settings {
  try {
    return parseSettings(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}\n`);
    process.exit(1);
  }
}

function parseSettings(argv: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      candidates: { type: "string" },
      rounds: { type: "string" },
      minutes: { type: "string", default: "20" },
      warm: { type: "string" },
      baseline: { type: "string" },
      profile: { type: "boolean", default: false },
      document: { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  return {
    quick,
    only: values.only === undefined ? defaultParts(quick) : parseParts(values.only),
    candidates: values.candidates?.split(",") ?? [],
    rounds: values.rounds === undefined ? (quick ? 1 : 5) : parsePositiveNumber(values.rounds),
    warmUpSeconds: values.warm === undefined ? (quick ? 0.5 : 5) : parsePositiveNumber(values.warm),
    settleSeconds: quick ? 0.2 : 1,
    windowSeconds: quick ? 0.8 : 5,
    openStreams: quick ? [500] : [1_000, 5_000],
    holdSeconds: quick ? 1 : 30,
    storedNodes: quick ? [0, 10_000] : [0, 1_000, 10_000, 100_000, 1_000_000],
    soakMinutes: parsePositiveNumber(values.minutes),
    baseline: values.baseline,
    profile: values.profile,
    document: values.document,
  };
}

function defaultParts(quick: boolean): PartName[] {
  return partNames.filter((name) => name !== "soak" && name !== "together" && !(quick && name === "long"));
}

function parseParts(only: string): PartName[] {
  const requested = only.split(",");
  const unknown = requested.find((name) => !partNames.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`There is no part “${unknown}”.`);
  return partNames.filter((name) => requested.includes(name));
}

function parsePositiveNumber(value: string): number {
  if (!/^\d+(\.\d+)?$/.test(value) || Number(value) === 0) throw new Error(`“${value}” is not a number.`);
  return Number(value);
}
