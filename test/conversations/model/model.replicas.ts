import { expect, onTestFinished, test } from "vitest";
import { RedisServer } from "../../store/redis/redis-server.js";
import { modelSeed, reportVerdict } from "./report.js";
import { runModel } from "./run.js";

const turns = Number(process.env.MODEL_TURNS ?? 2_000);

test.each(["kimi-web", "kimi-legacy"] as const)(
  "%s: conversations that jump between three gateways on one Redis never mix, and keep their chats",
  { timeout: 3_600_000 },
  async (kind) => {
    const server = await RedisServer.start({ settings: { appendonly: "no" } });
    onTestFinished(() => server.stop());
    const seed = modelSeed();
    const size = { turns, conversations: 200, kills: 4, trims: 1 };
    const verdict = await runModel({ kind, seed, ...size, logLevel: "warn", redis: server.url });
    expect(reportVerdict(verdict, `${kind} on Redis`, seed)).toEqual([]);
  },
);
