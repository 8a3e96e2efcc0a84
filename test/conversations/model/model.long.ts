import { expect, test } from "vitest";
import { modelSeed, reportVerdict } from "./report.js";
import { runModel } from "./run.js";

const turns = Number(process.env.MODEL_TURNS ?? 100_000);

test.each(["kimi-web", "kimi-legacy"] as const)(
  `%s: over ${turns} turns`,
  { timeout: 4 * 3_600_000 },
  async (kind) => {
    const seed = modelSeed();
    const run = { kind, seed, turns, conversations: 400, kills: 20, trims: 4, logLevel: "warn" };
    expect(reportVerdict(await runModel(run), kind, seed)).toEqual([]);
  },
);
