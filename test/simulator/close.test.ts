import { setImmediate as nextIteration } from "node:timers/promises";
import { request } from "undici";
import { expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { chatRequest, encodeFrame, postChat } from "./client.js";

function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /^(Timeout|TCPServerWrap)$/.test(name));
}

test("closing cuts all open streams and refreshes, and leaves no timer or socket open", async () => {
  const before = openHandles();
  const simulator = await startSimulator();
  const { accessToken, refreshToken } = simulator.issue();
  const body = (text: string) => encodeFrame(JSON.stringify(chatRequest(text)));
  const running = [
    "sim:fault=stall",
    "sim:fault=stall-heartbeat,1,60000",
    "sim:fault=slow-start,600000",
    "sim:slow=60000",
  ].map((text) => postChat(simulator, body(text), accessToken).catch(() => "cut"));
  simulator.faultRefresh({ delayMilliseconds: 600_000 });
  const refreshing = request(`${simulator.url}/api/account.gateway.v1.AuthService/RefreshToken`, {
    method: "POST",
    body: JSON.stringify({ refresh_token: refreshToken }),
  }).catch(() => "cut");
  await expect
    .poll(() => [simulator.counts().openStreams, simulator.counts().refreshes], { timeout: 20_000 })
    .toEqual([4, 1]);

  await simulator.close();
  await Promise.all([...running, refreshing]);
  expect(simulator.counts().openStreams).toBe(0);
  expect(simulator.calls.some(({ closedByClient }) => closedByClient)).toBe(false);
  // A closed handle is released in the next event loop iteration.
  await nextIteration();
  // The test runner may have one timer of its own; a leak of the five calls above would exceed that.
  expect(openHandles().length).toBeLessThanOrEqual(before.length + 1);
});

test("the port is free after closing", async () => {
  const first = await startSimulator();
  await first.close();
  const second = await startSimulator({ port: Number(new URL(first.url).port) });
  expect(second.url).toBe(first.url);
  await second.close();
});
