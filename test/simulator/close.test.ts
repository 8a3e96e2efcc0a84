import { setImmediate as nextRound } from "node:timers/promises";
import { request } from "undici";
import { expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { post, question, wrap } from "./client.js";

function held(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /^(Timeout|TCPServerWrap)$/.test(name));
}

test("closing cuts streams that stall, beat, dawdle or wait, and leaves nothing behind", async () => {
  const before = held();
  const simulator = await startSimulator();
  const { accessToken, refreshToken } = simulator.issue();
  const body = (text: string) => wrap(JSON.stringify(question(text)));
  const running = [
    "sim:fault=stall",
    "sim:fault=stall-heartbeat,1,60000",
    "sim:fault=slow-start,600000",
    "sim:slow=60000",
  ].map((text) => post(simulator, body(text), accessToken).catch(() => "cut"));
  simulator.faultRefresh({ delayMilliseconds: 600_000 });
  const refreshing = request(`${simulator.url}/api/account.gateway.v1.AuthService/RefreshToken`, {
    method: "POST",
    body: JSON.stringify({ refresh_token: refreshToken }),
  }).catch(() => "cut");
  await expect.poll(() => [simulator.counts().openStreams, simulator.counts().refreshes]).toEqual([4, 1]);

  await simulator.close();
  await Promise.all([...running, refreshing]);
  expect(simulator.counts().openStreams).toBe(0);
  expect(simulator.calls.some(({ closedByClient }) => closedByClient)).toBe(false);
  // A closed handle is let go of in the next round of the loop.
  await nextRound();
  // The test runner comes and goes with a timer of its own; each of the five above would show.
  expect(held().length).toBeLessThanOrEqual(before.length + 1);
});

test("the port is free again", async () => {
  const first = await startSimulator();
  await first.close();
  const second = await startSimulator({ port: Number(new URL(first.url).port) });
  expect(second.url).toBe(first.url);
  await second.close();
});
