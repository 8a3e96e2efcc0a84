import { afterEach, expect, test, vi } from "vitest";
import type { Simulator } from "../../simulator/index.js";
import type { UpstreamConfig } from "../../src/config/upstream-schema.js";
import { limits } from "../../src/core/limits.js";
import { hello, whole } from "../fixtures/moonshot.js";
import { asking, chunksOf, type Gateway, post, startGateway, textOf } from "../gateway.js";
import { json, type Platform, platformKey, startPlatform, stream } from "../upstreams/openai/platform.js";

afterEach(() => {
  vi.useRealTimers();
});

function platformUpstream({ url }: Platform): UpstreamConfig {
  return { name: "platform", kind: "openai", baseUrl: url, apiKey: platformKey, preset: "moonshot" };
}

/** Another person's account on the same Kimi. */
function otherAccount(simulator: Simulator): UpstreamConfig {
  const tokens = simulator.issue({ user: "other" });
  return {
    name: "other",
    kind: "kimi-web",
    baseUrl: simulator.url,
    authUrl: simulator.url,
    concurrency: 10,
    ...tokens,
  };
}

/** What Kimi was asked, and by which of the two accounts. */
function asked({ simulator }: Gateway) {
  return simulator.calls
    .filter(({ path }) => path.endsWith("ChatService/Chat"))
    .map(({ body }) => JSON.parse(JSON.stringify(body)))
    .map(({ chat_id, message }) => ({ chat: chat_id, text: message.blocks[0].text.content }));
}

async function ask(gateway: Gateway, body: Record<string, unknown> = {}) {
  const response = await post(gateway, { ...asking("hi"), model: "mine", ...body });
  const text = await response.text();
  return { status: response.status, upstream: response.headers.get("x-moonbridge-upstream"), text };
}

test("an account that must log in: the platform answers, and header and notice say so", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({
    tokens: (simulator) => {
      const pair = simulator.issue({ accessSeconds: 0 });
      simulator.revoke(pair.refreshToken);
      return pair;
    },
    upstreams: () => [platformUpstream(platform)],
    routes: { mine: ["me", "platform"] },
  });
  platform.will(json(200, whole));
  const answer = await ask(gateway, { temperature: 0.3 });
  expect([answer.status, answer.upstream]).toEqual([200, "platform"]);
  expect(JSON.parse(answer.text)).toMatchObject({
    moonbridge_notices: [
      { code: "upstream_changed", message: expect.stringMatching(/account_login_required/) },
    ],
  });
  platform.will(stream(...hello));
  const streamed = await ask(gateway, { stream: true });
  expect(streamed.upstream).toBe("platform");
  expect(textOf(chunksOf(streamed.text))).toBe("Hello, 月亮 🌙!");
});

test("a quota that is used up never moves on to another account, but to a service that is none", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({
    upstreams: (simulator) => [otherAccount(simulator), platformUpstream(platform)],
    routes: { accounts: ["me", "other"], mine: ["me", "other", "platform"] },
  });
  const usedUp = { kind: "error", code: "resource_exhausted", paywall: true } as const;
  gateway.simulator.fault(usedUp);
  const refused = await ask(gateway, { model: "accounts" });
  expect([refused.status, JSON.parse(refused.text).error.code]).toEqual([429, "insufficient_quota"]);
  expect(asked(gateway).length).toBe(1);

  gateway.simulator.fault(usedUp);
  platform.will(json(200, whole));
  expect((await ask(gateway)).upstream).toBe("platform");
  expect(asked(gateway).length).toBe(2);
});

test("a model that no route names stays where it is", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({ upstreams: () => [platformUpstream(platform)] });
  gateway.simulator.fault({ kind: "http", status: 500 });
  expect((await ask(gateway, { model: "kimi" })).status).toBe(502);
  expect(platform.calls).toEqual([]);
});

test("once a word has gone out, nobody else is asked", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({
    upstreams: () => [platformUpstream(platform)],
    routes: { mine: ["me", "platform"] },
  });
  gateway.simulator.fault({ kind: "error-late", after: 2, code: "unavailable" });
  const answer = await ask(gateway, { stream: true, messages: asking("sim:repeat=9").messages });
  expect(chunksOf(answer.text).at(-1)?.error?.code).toBe("upstream_overloaded");
  expect(platform.calls).toEqual([]);
  expect(asked(gateway).length).toBe(1);
});

test("what is wrong with the request is nobody else's business", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({
    upstreams: () => [platformUpstream(platform)],
    routes: { mine: ["me", "platform"] },
  });
  gateway.simulator.fault({ kind: "exception", reason: "REASON_CONTENT_FILTER", after: 0 });
  expect((await ask(gateway)).status).toBe(400);
  expect(platform.calls).toEqual([]);
});

test("a conversation stays with who has it, and is told whole to another only when that one fails", async () => {
  const gateway = await startGateway({
    upstreams: (simulator) => [otherAccount(simulator)],
    routes: { mine: ["me", "other"] },
  });
  gateway.simulator.fault({ kind: "http", status: 500 });
  const messages: { role: string; content: string }[] = [{ role: "user", content: "apples" }];
  const say = async (content: string) => {
    const answer = await ask(gateway, { messages: [...messages, { role: "user", content }] });
    const { choices } = JSON.parse(answer.text);
    messages.push({ role: "user", content }, { role: "assistant", content: choices[0].message.content });
    return answer.upstream;
  };
  messages.length = 0;
  expect(await say("apples")).toBe("other");
  expect(await say("pears")).toBe("other");
  expect(asked(gateway).at(-1)).toEqual({ chat: expect.any(String), text: "pears" });
  gateway.simulator.fault({ kind: "http", status: 500 });
  expect(await say("plums")).toBe("me");
  expect(asked(gateway).at(-1)).toEqual({
    chat: undefined,
    text: expect.stringMatching(
      /^user: apples\n\nassistant: .*\n\nuser: pears\n\nassistant: .*\n\nuser: plums$/s,
    ),
  });
});

test("an upstream that keeps failing is asked last, tried again after a while, and first again when it is well", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({
    upstreams: () => [platformUpstream(platform)],
    routes: { mine: ["platform", "me"] },
  });
  vi.useFakeTimers({ toFake: ["Date"] });
  platform.will(json(500, {}));
  const answers = async (times: number) => {
    const upstreams = new Set<string | null>();
    for (let n = 0; n < times; n++) upstreams.add((await ask(gateway)).upstream);
    return [...upstreams];
  };
  expect(await answers(limits.breakerFailures)).toEqual(["me"]);
  expect(platform.calls.length).toBe(limits.breakerFailures);
  expect(await answers(3)).toEqual(["me"]);
  expect(platform.calls.length).toBe(limits.breakerFailures);
  vi.setSystemTime(Date.now() + limits.breakerPause + 1_000);
  expect(await answers(3)).toEqual(["me"]);
  expect(platform.calls.length).toBe(limits.breakerFailures + 1);
  platform.will(json(200, whole));
  vi.setSystemTime(Date.now() + limits.breakerLongestPause);
  expect(await answers(3)).toEqual(["platform"]);
});
