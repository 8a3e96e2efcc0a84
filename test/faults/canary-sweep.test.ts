import { afterAll, expect, test } from "vitest";
import { apiKey, type Gateway, startGateway } from "../gateway.js";
import { json, platformKey, type Script, startPlatform, stream } from "../upstreams/openai/platform.js";
import {
  ask,
  chatlessKey,
  expiredKey,
  type House,
  houseModes,
  issuer,
  type Outcome,
  requestModes,
  upstreamModes,
} from "./sweep-modes.js";
import { type SweptRoute, sweptRoutes, upload } from "./sweep-routes.js";

const modes = [...requestModes, ...upstreamModes, ...houseModes];
let pairs = 0;

/**
 * Each route in each failure mode. Keys, tokens, prompts, answers, files and their names, OAuth secrets, names of users,
 * query strings and header values say CANARY: none of it is in a log at trace level or in an error. PARROT is what a
 * service says of a failure: the client may hear it, the log may not.
 */
test.each(modes)("$name", async (mode) => {
  const house = await openHouse();
  const routes = await routesOf(house.gateway);
  await mode.before?.(house);
  const asking = routes.map((route) => (mode.ask ?? ask)(house.gateway, route).catch(unanswered));
  await mode.meanwhile?.(house);
  const outcomes = await Promise.all(asking);
  const pages = await Promise.all(publicPages.map((path) => page(house.gateway, path)));
  await house.gateway.stop();
  pairs += outcomes.length;

  expect(outcomes.length).toBeGreaterThanOrEqual(60);
  const failures = house.gateway.log().map(({ failure }) => failure);
  expect([...outcomes.map(({ status }) => status), ...failures]).toContain(mode.shows);
  const log = house.gateway.log().map((line) => JSON.stringify(line));
  expect(log.filter((line) => secret.test(line) || /PARROT/.test(line))).toEqual([]);
  expect(log.length).toBeGreaterThan(0);
  expect(pages.filter((page) => secret.test(page))).toEqual([]);
  if (mode.echoes) return;
  const told = outcomes.map((outcome, at) => ({ route: routes[at], error: errorsIn(outcome) }));
  expect(told.filter(({ error }) => secret.test(error))).toEqual([]);
});

afterAll(() => {
  process.stdout.write(`canary sweep: ${pairs} pairs of a route and one of ${modes.length} failure modes\n`);
});

test("the sweep would see a leak", () => {
  expect(secret.test(JSON.stringify({ msg: `key ${apiKey}` }))).toBe(true);
  expect(errorsIn({ status: 400, body: "CANARY" })).toMatch(secret);
  expect(errorsIn({ status: 200, body: 'data: {"CANARY":1}\n\ndata: {"error":{"message":"x"}}\n\n' })).toBe(
    '{"error":{"message":"x"}}',
  );
});

/** Every simulated token is a JWT. */
const secret = /CANARY|eyJ[\w-]{10,}/;

/** A gateway with an upstream of each kind, keys of each sort and an issuer, and a file on its shelf. */
async function openHouse(): Promise<House> {
  const platform = await startPlatform();
  platform.will(answer);
  const tokens: string[] = [];
  const gateway = await startGateway({
    server: { shutdownSeconds: 0 },
    patience: { silence: 300, progress: 300 },
    files: { promptLinks: "documents" },
    concurrency: 1_000,
    simulator: { script: () => [{ do: "text", content: ["my CANARY ", "answer"] }] },
    tokens: (simulator) => {
      const pair = simulator.issue({ user: "CANARY" });
      tokens.push(pair.refreshToken);
      return pair;
    },
    keys: [
      { name: "expired", key: expiredKey, expires: "2026-01-01" },
      { name: "chatless", key: chatlessKey, scopes: ["admin"] },
    ],
    oauth: { issuer, audience: "moonbridge" },
    routes: { "by-web": ["me"], "by-legacy": ["old"], "by-platform": ["platform"] },
    upstreams: ({ url, issue }) => {
      const pair = issue({ user: "CANARY" });
      tokens.push(pair.refreshToken);
      return [
        { name: "old", kind: "kimi-legacy", baseUrl: url, ...pair },
        { name: "platform", kind: "openai", baseUrl: platform.url, apiKey: platformKey, preset: "moonshot" },
      ];
    },
  });
  return { gateway, platform, tokens };
}

const said = { index: 0, finish_reason: "stop" };
const chunk = { choices: [{ ...said, delta: { content: "CANARY" } }] };
const whole = { choices: [{ ...said, message: { role: "assistant", content: "CANARY" } }] };

const answer: Script = (response, call) =>
  call.body.stream === true
    ? stream(`data: ${JSON.stringify(chunk)}\n\n`, "data: [DONE]\n\n")(response, call)
    : json(200, whole)(response, call);

async function routesOf(gateway: Gateway): Promise<SweptRoute[]> {
  const { id } = JSON.parse((await ask(gateway, { method: "POST", path: "/v1/files", ...upload })).body);
  const description = JSON.parse((await ask(gateway, { method: "GET", path: "/openapi.json" })).body);
  return sweptRoutes(description, id);
}

/** A failure as the client reads it: a refusal's body, or the error in a stream. */
function errorsIn({ status, body }: Outcome): string {
  if (status >= 400) return body;
  const lines = body.split("\n").filter((line) => line.startsWith('data: {"error"'));
  return lines.map((line) => line.slice("data: ".length)).join("\n");
}

/** What monitors read, as it is after all that. */
const publicPages = ["/metrics", "/readyz"];

async function page(gateway: Gateway, path: string): Promise<string> {
  const { body } = await ask(gateway, { method: "GET", path }).catch(unanswered);
  return body;
}

function unanswered(): Outcome {
  return { status: 0, body: "" };
}
