import { expect, test } from "vitest";
import { modelSeed, reportVerdict } from "./report.js";
import { runModel } from "./run.js";

test.each(["kimi-web", "kimi-legacy"] as const)(
  "%s: conversations of many clients never mix, and keep their chats",
  { timeout: 300_000 },
  async (kind) => {
    const seed = modelSeed();
    const run = { kind, seed, turns: 1_000, conversations: 60, kills: 2, trims: 2, logLevel: "trace" };
    expect(reportVerdict(await runModel(run), kind, seed)).toEqual([]);
  },
);
