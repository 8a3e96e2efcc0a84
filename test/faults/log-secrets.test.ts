import { expect, test } from "vitest";
import type { Fault } from "../../simulator/index.js";
import { apiKey, chatBody, postChat, startGateway } from "../gateway.js";
import { kinds } from "../upstreams/kimi-sides.js";

/** Faults whose error message could quote the prompt or the response. */
const faults: Fault[] = [
  { kind: "error", code: "unauthenticated" },
  { kind: "error", code: "internal", message: "failed on: CANARY prompt" },
  { kind: "http", status: 500, body: '{"message":"CANARY prompt"' },
  { kind: "http", status: 401, body: "<html>CANARY prompt</html>" },
  { kind: "html" },
  { kind: "error", code: "internal", reason: "canary.CANARY prompt", message: "failed on: CANARY prompt" },
  { kind: "cut", after: 1 },
  { kind: "cut-before" },
  { kind: "garbage", after: 1 },
  { kind: "huge", after: 1 },
  { kind: "unknown" },
  { kind: "exception", reason: "REASON_CANARY prompt", message: "CANARY" },
  { kind: "rewrite" },
  { kind: "stall", after: 1 },
];

const testName = "%s: no token, key or prompt appears in the log or in an error, for any fault and route";

test.each(kinds)(testName, async (kind) => {
  const gateway = await startGateway({ kind, timeouts: { idle: 200, progress: 200 } });
  const { accessToken, refreshToken } = gateway.simulator.issue();
  const secrets = [accessToken, refreshToken, apiKey, "CANARY", "eyJ"];
  const bodies: string[] = [];
  for (const fault of faults) {
    for (const stream of [true, false]) {
      gateway.simulator.fault(fault);
      const response = await postChat(gateway, chatBody("my CANARY prompt", { stream }));
      const text = await response.text();
      if (!response.ok) bodies.push(text);
    }
  }
  gateway.simulator.expireAccessTokens();
  gateway.simulator.faultRefresh({ status: 500 }, 2);
  bodies.push(await (await postChat(gateway, chatBody("CANARY"))).text());
  for (const path of [
    "/v1/models/CANARY",
    "/v1/CANARY?key=CANARY",
    "/CANARY",
    "/healthz?CANARY",
    "/readyz",
    "/docs?CANARY",
  ]) {
    await fetch(`${gateway.url}${path}`, {
      headers: { authorization: "Bearer CANARY", "x-api-key": "CANARY", cookie: "CANARY" },
    });
  }
  for (const body of [
    '{"messages":"CANARY"}',
    '{"CANARY":1}',
    "CANARY {",
    '{"messages":[{"role":"CANARY"}]}',
  ]) {
    await postChat(gateway, body);
  }
  await gateway.stop();

  const log = gateway
    .logEntries()
    .map((line) => JSON.stringify(line))
    .join("\n");
  expect(gateway.logEntries().length).toBeGreaterThan(30);
  for (const secret of secrets) expect(log).not.toContain(secret);
  for (const secret of [accessToken, refreshToken, apiKey, "eyJ"])
    expect(bodies.join("\n")).not.toContain(secret);
});
