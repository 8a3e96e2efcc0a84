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
export type PartName = (typeof partNames)[number];

/** How much is measured. Seconds and milliseconds as the names say. */
export type Settings = {
  quick: boolean;
  only: readonly PartName[];
  /** Only candidates whose name contains one of these. */
  candidates: readonly string[];
  rounds: number;
  /** Before the first measurement of a candidate, and before each further one. */
  warmSeconds: number;
  settleSeconds: number;
  windowSeconds: number;
  /** Streams held open. */
  openStreams: readonly number[];
  holdSeconds: number;
  /** Conversations' places in the store. */
  threads: readonly number[];
  soakMinutes: number;
  /** Another build of Moonbridge to compare with: its `dist` folder. */
  baseline: string | undefined;
  /** Whether gateways write a profile of each window. */
  profile: boolean;
  /** Whether the tables are written into docs/performance.md. */
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
  --document            writes the tables into docs/performance.md, each in place of the one before`;

/** The settings that a command line means; prints what there is and ends where it means nothing. */
export function readSettings(argv: readonly string[]): Settings {
  try {
    return settingsOf(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}\n`);
    process.exit(1);
  }
}

function settingsOf(argv: readonly string[]): Settings {
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
    only: values.only === undefined ? partsByDefault(quick) : partsOf(values.only),
    candidates: values.candidates?.split(",") ?? [],
    rounds: values.rounds === undefined ? (quick ? 1 : 5) : number(values.rounds),
    warmSeconds: values.warm === undefined ? (quick ? 0.5 : 5) : number(values.warm),
    settleSeconds: quick ? 0.2 : 1,
    windowSeconds: quick ? 0.8 : 5,
    openStreams: quick ? [500] : [1_000, 5_000],
    holdSeconds: quick ? 1 : 30,
    threads: quick ? [0, 10_000] : [0, 1_000, 10_000, 100_000, 1_000_000],
    soakMinutes: number(values.minutes),
    baseline: values.baseline,
    profile: values.profile,
    document: values.document,
  };
}

function partsByDefault(quick: boolean): PartName[] {
  return partNames.filter((name) => name !== "soak" && name !== "together" && !(quick && name === "long"));
}

function partsOf(only: string): PartName[] {
  const asked = only.split(",");
  const unknown = asked.find((name) => !partNames.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`There is no part “${unknown}”.`);
  return partNames.filter((name) => asked.includes(name));
}

function number(value: string): number {
  if (!/^\d+(\.\d+)?$/.test(value) || Number(value) === 0) throw new Error(`“${value}” is not a number.`);
  return Number(value);
}
