import { expect, test } from "vitest";
import type { Simulator } from "../../simulator/index.js";
import type { UpstreamConfig } from "../../src/config/upstream-settings.js";
import { chatBody, contentOf, type GatewayOptions, parseChunks, postChat, startGateway } from "../gateway.js";
import { type Platform, platformKey, startPlatform } from "../upstreams/openai/scripted-platform.js";
import { halves, startHeldPlatform, startStream } from "./held-streams.js";

const rounds = 50;
const question = (name: string, number: number) => `${name}, question ${number}`;
/** The upstreams of a round: an account whose settings change, and two that no other round has. */
function upstreamsOf(round: number, { simulator, platform }: { simulator: Simulator; platform: Platform }) {
  const account = { baseUrl: simulator.url, concurrency: 1_000, ...simulator.issue() };
  const web = { ...account, kind: "kimi-web", authUrl: simulator.url };
  const upstreams: UpstreamConfig[] = [
    { ...web, name: "me", userAgent: `round ${round}` },
    { name: `platform-${round}`, kind: "openai", baseUrl: platform.url, apiKey: platformKey },
    { ...(round % 2 === 0 ? web : { ...account, kind: "kimi-legacy" }), name: `account-${round}` },
  ];
  return upstreams;
}

test("upstreams are added, changed and removed fifty times under two hundred streams, and each stream ends whole", {
  timeout: 120_000,
}, async () => {
  const { platform, release } = await startHeldPlatform();
  const simulatorOptions: GatewayOptions["simulator"] = {
    legacyConcurrency: 1_000,
    script: ({ text }) => {
      const [first, second] = halves(text);
      return [
        { do: "text", content: [first] },
        { do: "wait", milliseconds: 3_000 },
        { do: "text", content: [second] },
      ];
    },
  };
  const gateway = await startGateway({ simulator: simulatorOptions, logLevel: "warn" });
  const services = { simulator: gateway.simulator, platform };
  const answers: Awaited<ReturnType<typeof startStream>>[] = [];
  for (let round = 0; round < rounds; round++) {
    await gateway.replaceUpstreams(upstreamsOf(round, services));
    const names = ["me", `platform-${round}`, `platform-${round}`, `account-${round}`];
    const started = names.map((name, number) => {
      const model = name.startsWith("platform") ? `${name}/kimi-k2.6` : `${name}/kimi`;
      return startStream(gateway, model, question(name, 4 * round + number));
    });
    answers.push(...(await Promise.all(started)));
  }
  const removed = await postChat(gateway, chatBody("hello", { model: "platform-0/kimi-k2.6" }));
  expect(removed.status).toBe(404);
  expect(platform.calls.filter(({ closedEarly }) => closedEarly)).toEqual([]);
  release();

  const ended = await Promise.all(answers.map(({ answer }) => answer));
  expect(ended).toHaveLength(4 * rounds);
  for (const { asked, upstream, text } of ended) {
    const chunks = parseChunks(text);
    expect(contentOf(chunks)).toBe(halves(asked).join(""));
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(["stop"]);
    expect(asked).toMatch(new RegExp(`^${upstream}, `));
  }
  expect(platform.calls.filter(({ closedEarly }) => closedEarly)).toEqual([]);
  expect(gateway.simulator.counts().openStreams).toBe(0);
});

test("upstreams that cannot be opened change nothing", async () => {
  const gateway = await startGateway();
  const [me] = upstreamsOf(0, { simulator: gateway.simulator, platform: await startPlatform() });
  if (!me) throw new Error("no upstream");
  const broken = { name: "broken", kind: "openai", baseUrl: 1 };
  await expect(gateway.replaceUpstreams([{ ...me, name: "other" }, broken])).rejects.toThrow(
    "broken.baseUrl: expected an http or https address",
  );
  const ask = (model: string) => postChat(gateway, chatBody("sim:say=hello", { model, stream: true }));
  expect((await ask("other/kimi")).status).toBe(404);
  expect(contentOf(parseChunks(await (await ask("me/kimi")).text()))).toBe("hello");
});

test("a new concurrency counts for the requests after it", async () => {
  const gateway = await startGateway({
    queue: { depth: 0 },
    simulator: { script: () => [{ do: "text", content: ["first of it"] }, { do: "stall" }] },
  });
  const [me] = upstreamsOf(0, { simulator: gateway.simulator, platform: await startPlatform() });
  if (!me) throw new Error("no upstream");
  const client = new AbortController();
  const ask = () =>
    postChat(gateway, chatBody("hello", { model: "kimi", stream: true }), { signal: client.signal });
  await gateway.replaceUpstreams([{ ...me, concurrency: 1 }]);
  expect((await ask()).status).toBe(200);
  expect((await ask()).status).toBe(429);
  await gateway.replaceUpstreams([{ ...me, concurrency: 3 }]);
  expect((await ask()).status).toBe(200);
  client.abort();
});
