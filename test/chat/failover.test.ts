import { afterEach, expect, test, vi } from "vitest";
import type { Simulator } from "../../simulator/index.js";
import type { UpstreamConfig } from "../../src/config/upstream-settings.js";
import { limits } from "../../src/core/limits.js";
import { helloStream, nonStreamedAnswer } from "../fixtures/moonshot.js";
import { chatBody, contentOf, type Gateway, parseChunks, postChat, startGateway } from "../gateway.js";
import {
  json,
  type Platform,
  platformKey,
  startPlatform,
  stream,
} from "../upstreams/openai/scripted-platform.js";

afterEach(() => {
  vi.useRealTimers();
});

function platformUpstream({ url }: Platform): UpstreamConfig {
  return { name: "platform", kind: "openai", baseUrl: url, apiKey: platformKey, preset: "moonshot" };
}

/** A second account on the same Kimi. */
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

/** The chat requests that the simulator has received: chat id and text. */
function receivedByKimi({ simulator }: Gateway) {
  return simulator.calls
    .filter(({ path }) => path.endsWith("ChatService/Chat"))
    .map(({ body }) => JSON.parse(JSON.stringify(body)))
    .map(({ chat_id, message }) => ({ chat: chat_id, text: message.blocks[0].text.content }));
}

async function complete(gateway: Gateway, body: Record<string, unknown> = {}) {
  const response = await postChat(gateway, { ...chatBody("hi"), model: "mine", ...body });
  const text = await response.text();
  return { status: response.status, upstream: response.headers.get("x-moonbridge-upstream"), text };
}

test("account_login_required fails over to the platform, which header and notice name", async () => {
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
  platform.respondWith(json(200, nonStreamedAnswer));
  const answer = await complete(gateway, { temperature: 0.3 });
  expect([answer.status, answer.upstream]).toEqual([200, "platform"]);
  expect(JSON.parse(answer.text)).toMatchObject({
    moonbridge_notices: [
      { code: "upstream_changed", message: expect.stringMatching(/account_login_required/) },
    ],
  });
  platform.respondWith(stream(...helloStream));
  const streamed = await complete(gateway, { stream: true });
  expect(streamed.upstream).toBe("platform");
  expect(contentOf(parseChunks(streamed.text))).toBe("Hello, 月亮 🌙!");
});

test("quota_exceeded never fails over to another account, only to an API platform", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({
    upstreams: (simulator) => [otherAccount(simulator), platformUpstream(platform)],
    routes: { accounts: ["me", "other"], mine: ["me", "other", "platform"] },
  });
  const usedUp = { kind: "error", code: "resource_exhausted", paywall: true } as const;
  gateway.simulator.fault(usedUp);
  const refused = await complete(gateway, { model: "accounts" });
  expect([refused.status, JSON.parse(refused.text).error.code]).toEqual([429, "insufficient_quota"]);
  expect(receivedByKimi(gateway).length).toBe(1);

  gateway.simulator.fault(usedUp);
  platform.respondWith(json(200, nonStreamedAnswer));
  expect((await complete(gateway)).upstream).toBe("platform");
  expect(receivedByKimi(gateway).length).toBe(2);
});

test("a model that is not in `routes` never fails over", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({ upstreams: () => [platformUpstream(platform)] });
  gateway.simulator.fault({ kind: "http", status: 500 });
  expect((await complete(gateway, { model: "kimi" })).status).toBe(502);
  expect(platform.calls).toEqual([]);
});

test("after visible output a failure does not fail over", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({
    upstreams: () => [platformUpstream(platform)],
    routes: { mine: ["me", "platform"] },
  });
  gateway.simulator.fault({ kind: "error-late", after: 2, code: "unavailable" });
  const answer = await complete(gateway, { stream: true, messages: chatBody("sim:repeat=9").messages });
  expect(parseChunks(answer.text).at(-1)?.error?.code).toBe("upstream_overloaded");
  expect(platform.calls).toEqual([]);
  expect(receivedByKimi(gateway).length).toBe(1);
});

test("an error of the request does not fail over", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({
    upstreams: () => [platformUpstream(platform)],
    routes: { mine: ["me", "platform"] },
  });
  gateway.simulator.fault({ kind: "exception", reason: "REASON_CONTENT_FILTER", after: 0 });
  expect((await complete(gateway)).status).toBe(400);
  expect(platform.calls).toEqual([]);
});

test("a conversation stays at its upstream; only if that fails is the whole history sent to another", async () => {
  const gateway = await startGateway({
    upstreams: (simulator) => [otherAccount(simulator)],
    routes: { mine: ["me", "other"] },
  });
  gateway.simulator.fault({ kind: "http", status: 500 });
  const messages: { role: string; content: string }[] = [{ role: "user", content: "apples" }];
  const send = async (content: string) => {
    const answer = await complete(gateway, { messages: [...messages, { role: "user", content }] });
    const { choices } = JSON.parse(answer.text);
    messages.push({ role: "user", content }, { role: "assistant", content: choices[0].message.content });
    return answer.upstream;
  };
  messages.length = 0;
  expect(await send("apples")).toBe("other");
  expect(await send("pears")).toBe("other");
  expect(receivedByKimi(gateway).at(-1)).toEqual({ chat: expect.any(String), text: "pears" });
  gateway.simulator.fault({ kind: "http", status: 500 });
  expect(await send("plums")).toBe("me");
  expect(receivedByKimi(gateway).at(-1)).toEqual({
    chat: undefined,
    text: expect.stringMatching(
      /^user: apples\n\nassistant: .*\n\nuser: pears\n\nassistant: .*\n\nuser: plums$/s,
    ),
  });
});

test("an upstream with an open breaker is tried last, retried after the pause, and first again once it succeeds", async () => {
  const platform = await startPlatform();
  const gateway = await startGateway({
    upstreams: () => [platformUpstream(platform)],
    routes: { mine: ["platform", "me"] },
  });
  vi.useFakeTimers({ toFake: ["Date"] });
  platform.respondWith(json(500, {}));
  const answers = async (times: number) => {
    const upstreams = new Set<string | null>();
    for (let n = 0; n < times; n++) {
      // One prompt alone does not open the breaker.
      const { messages } = chatBody(`question ${n}`);
      upstreams.add((await complete(gateway, { messages })).upstream);
    }
    return [...upstreams];
  };
  expect(await answers(limits.breakerFailures)).toEqual(["me"]);
  expect(platform.calls.length).toBe(limits.breakerFailures);
  expect(await answers(3)).toEqual(["me"]);
  expect(platform.calls.length).toBe(limits.breakerFailures);
  vi.setSystemTime(Date.now() + limits.breakerPause + 1_000);
  expect(await answers(3)).toEqual(["me"]);
  expect(platform.calls.length).toBe(limits.breakerFailures + 1);
  platform.respondWith(json(200, nonStreamedAnswer));
  vi.setSystemTime(Date.now() + limits.breakerMaxPause);
  expect(await answers(3)).toEqual(["platform"]);
});
