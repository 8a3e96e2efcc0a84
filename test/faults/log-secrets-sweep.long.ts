import { afterAll, expect, test } from "vitest";
import { apiKey, type Gateway, startGateway, waitUntil } from "../gateway.js";
import {
  json,
  platformKey,
  type Script,
  startPlatform,
  stream,
} from "../upstreams/openai/scripted-platform.js";
import {
  adminOnlyKey,
  environmentModes,
  expiredKey,
  type Outcome,
  requestModes,
  type SweepEnvironment,
  sendRequest,
  unreachableIssuer,
  upstreamModes,
} from "./sweep-modes.js";
import { type SweptRoute, sweptRoutes, upload } from "./sweep-routes.js";

const modes = [...requestModes, ...upstreamModes, ...environmentModes];
let requestCount = 0;

/**
 * Sends the request of each route in each failure mode. Keys, tokens, prompts, answers, files and their names, OAuth
 * secrets, user names, query strings and header values contain CANARY, which must not appear in a log at trace level or in
 * an error. Error texts of upstreams contain PARROT, which may be sent to the client but not logged.
 */
test.each(modes)("no secret in logs and errors: $name", async (mode) => {
  const environment = await openEnvironment();
  const routes = await listRoutes(environment.gateway);
  await mode.prepare?.(environment);
  const requests = routes.map((route) =>
    (mode.send ?? sendRequest)(environment.gateway, route).catch(noResponse),
  );
  await mode.duringRequests?.(environment);
  const outcomes = await Promise.all(requests);
  const observed = () => {
    const failures = environment.gateway.logEntries().map(({ failure }) => failure);
    return [...outcomes.map(({ status }) => status), ...failures];
  };
  // A client that has disconnected may be gone before the gateway has read its request; a shutdown would drop that.
  await waitUntil(() => observed().includes(mode.expectedOutcome));
  const pages = await Promise.all(publicPages.map((path) => fetchPage(environment.gateway, path)));
  await environment.gateway.stop();
  requestCount += outcomes.length;

  expect(outcomes.length).toBeGreaterThanOrEqual(60);
  expect(observed()).toContain(mode.expectedOutcome);
  const log = environment.gateway.logEntries().map((line) => JSON.stringify(line));
  expect(log.filter((line) => secret.test(line) || /PARROT/.test(line))).toEqual([]);
  expect(log.length).toBeGreaterThan(0);
  expect(pages.filter((page) => secret.test(page))).toEqual([]);
  if (mode.echoesPath) return;
  const errors = outcomes.map((outcome, index) => ({ route: routes[index], error: receivedError(outcome) }));
  expect(errors.filter(({ error }) => secret.test(error))).toEqual([]);
});

afterAll(() => {
  process.stdout.write(
    `canary sweep: ${requestCount} pairs of a route and one of ${modes.length} failure modes\n`,
  );
});

test("the checks of the sweep detect a leak", () => {
  expect(secret.test(JSON.stringify({ msg: `key ${apiKey}` }))).toBe(true);
  expect(receivedError({ status: 400, body: "CANARY" })).toMatch(secret);
  expect(
    receivedError({ status: 200, body: 'data: {"CANARY":1}\n\ndata: {"error":{"message":"x"}}\n\n' }),
  ).toBe('{"error":{"message":"x"}}');
  expect(receivedError({ status: 200, body: '{"CANARY":1}\n{"error":"x"}\n' })).toBe('{"error":"x"}');
});

/** Matches CANARY and every JWT, which all simulated tokens are. */
const secret = /CANARY|eyJ[\w-]{10,}/;

/** A gateway with an upstream of each kind, an expired and an admin-only key, and an unreachable OAuth issuer. */
async function openEnvironment(): Promise<SweepEnvironment> {
  const platform = await startPlatform();
  platform.respondWith(answerAsPlatform);
  const refreshTokens: string[] = [];
  const gateway = await startGateway({
    server: { shutdownSeconds: 0 },
    timeouts: { idle: 300, progress: 300 },
    files: { promptLinks: "documents" },
    concurrency: 1_000,
    simulator: { script: () => [{ do: "text", content: ["my CANARY ", "answer"] }] },
    tokens: (simulator) => {
      const pair = simulator.issue({ user: "CANARY" });
      refreshTokens.push(pair.refreshToken);
      return pair;
    },
    keys: [
      { name: "expired", key: expiredKey, expires: "2026-01-01" },
      { name: "chatless", key: adminOnlyKey, scopes: ["admin"] },
    ],
    oauth: { issuer: unreachableIssuer, audience: "moonbridge" },
    routes: { "by-web": ["me"], "by-legacy": ["old"], "by-platform": ["platform"] },
    upstreams: ({ url, issue }) => {
      const pair = issue({ user: "CANARY" });
      refreshTokens.push(pair.refreshToken);
      return [
        { name: "old", kind: "kimi-legacy", baseUrl: url, ...pair },
        { name: "platform", kind: "openai", baseUrl: platform.url, apiKey: platformKey, preset: "moonshot" },
      ];
    },
  });
  return { gateway, platform, refreshTokens };
}

const finishedChoice = { index: 0, finish_reason: "stop" };
const streamedChunk = { choices: [{ ...finishedChoice, delta: { content: "CANARY" } }] };
const completeResponse = {
  choices: [{ ...finishedChoice, message: { role: "assistant", content: "CANARY" } }],
};

const answerAsPlatform: Script = (response, call) =>
  call.body.stream === true
    ? stream(`data: ${JSON.stringify(streamedChunk)}\n\n`, "data: [DONE]\n\n")(response, call)
    : json(200, completeResponse)(response, call);

async function listRoutes(gateway: Gateway): Promise<SweptRoute[]> {
  const { id } = JSON.parse(
    (await sendRequest(gateway, { method: "POST", path: "/v1/files", ...upload })).body,
  );
  const description = JSON.parse((await sendRequest(gateway, { method: "GET", path: "/openapi.json" })).body);
  return sweptRoutes(description, id);
}

/** The error that the client receives: the body of an error response, or the error event or line of a stream. */
function receivedError({ status, body }: Outcome): string {
  if (status >= 400) return body;
  const isError = (line: string) =>
    /^(data: )?\{("type":"(error|response\.failed)",)?("sequence_number":\d+,)?"(error|response)"/.test(line);
  const lines = body.split("\n").filter((line) => isError(line) && !line.includes('"error":null'));
  return lines.map((line) => line.replace(/^data: /, "")).join("\n");
}

/** Pages without authentication; they must not contain secrets either. */
const publicPages = ["/metrics", "/readyz"];

async function fetchPage(gateway: Gateway, path: string): Promise<string> {
  const { body } = await sendRequest(gateway, { method: "GET", path }).catch(noResponse);
  return body;
}

function noResponse(): Outcome {
  return { status: 0, body: "" };
}
