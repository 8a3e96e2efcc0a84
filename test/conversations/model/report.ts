import type { Verdict } from "./verdict.js";

/** `TEST_SEED`: a number, or "random"; by default every run is the same. */
export function modelSeed(): number {
  const { TEST_SEED: seed } = process.env;
  return seed === "random" ? Math.floor(Math.random() * 2 ** 31) : Number(seed ?? 20_261_124);
}

/** Share of needless new chats that clients with a window may have. */
const maxNeedlessOfWindows = 0.1;

/** Prints the table, and the traces if something failed; returns what does not hold. */
export function reportVerdict(verdict: Verdict, kind: string, seed: number): string[] {
  const never = ["foreign", "stale", "missing", "wrong", "lost", "side", "error"] as const;
  const failures: string[] = never
    .filter((name) => verdict.total(name) > 0)
    .map((name) => `${name}: ${verdict.total(name)}`);
  if (verdict.strayCalls > 0) failures.push(`calls to Kimi for no turn: ${verdict.strayCalls}`);
  const full = verdict.needless("full");
  if (full.needless > 0) failures.push(`needless new chats of full histories: ${full.needless}`);
  const windows = verdict.needless("window");
  if (windows.needless > maxNeedlessOfWindows * windows.living)
    failures.push(`needless new chats of windows: ${windows.needless} of ${windows.living}`);
  process.stdout.write(`\n${kind}, TEST_SEED=${seed}\n${verdict.table()}\n`);
  if (failures.length > 0) process.stdout.write(`\n${verdict.traces}\n`);
  return failures;
}
