import type { Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { helloStream } from "../fixtures/moonshot.js";
import { chatBody, contentOf, type Gateway, parseChunks, postChat, startGateway } from "../gateway.js";
import { platformKey, startPlatform, stream } from "../upstreams/openai/scripted-platform.js";
import { type Intervention, startNetwork } from "./network-between.js";

/** A gateway to an upstream of one kind through this network, and the path of its chat calls. */
type Setup = { path: RegExp; start(intervene: Intervention): Promise<Gateway> };

async function startKimiGateway(kind: "kimi-web" | "kimi-legacy", intervene: Intervention): Promise<Gateway> {
  const kimi = await startSimulator();
  onTestFinished(() => kimi.close());
  const baseUrl = await startNetwork(kimi.url, intervene);
  return startGateway({ kind, baseUrl, tokens: () => kimi.issue() });
}

async function startPlatformGateway(intervene: Intervention): Promise<Gateway> {
  const platform = await startPlatform();
  platform.respondWith(stream(...helloStream));
  const baseUrl = await startNetwork(platform.url, intervene);
  return startGateway({
    upstreams: () => [
      { name: "platform", kind: "openai", baseUrl, apiKey: platformKey, preset: "generic", models: ["k"] },
    ],
    routes: { kimi: ["platform"] },
  });
}

const setups: Record<string, Setup> = {
  "kimi-web": {
    path: /ChatService\/Chat$/,
    start: (intervene) => startKimiGateway("kimi-web", intervene),
  },
  "kimi-legacy": {
    path: /completion\/stream$/,
    start: (intervene) => startKimiGateway("kimi-legacy", intervene),
  },
  openai: { path: /chat\/completions$/, start: startPlatformGateway },
};

async function answerOf(gateway: Gateway, prompt: string): Promise<string> {
  const response = await postChat(gateway, chatBody(prompt, { stream: true }));
  expect(response.status).toBe(200);
  return contentOf(parseChunks(await response.text()));
}

describe.each(Object.entries(setups))("%s", (_kind, { path, start }) => {
  test("an idle connection that is closed just when it is used again costs nobody an answer", async () => {
    const served = new WeakSet<Socket>();
    const closed: string[] = [];
    const gateway = await start(({ socket, url = "" }) => {
      const isReused = served.has(socket);
      served.add(socket);
      if (!isReused || !path.test(url) || closed.length === 3) return false;
      closed.push(url);
      socket.destroy();
      return true;
    });
    for (let n = 0; n < 12; n++) expect(await answerOf(gateway, `question ${n}`)).not.toBe("");
    expect(closed.length).toBe(3);
  });
});
