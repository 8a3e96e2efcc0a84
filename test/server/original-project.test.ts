import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { createApp } from "../../src/app/create-app.js";
import { loadAppConfig } from "../../src/app/load-config.js";
import { createLog } from "../../src/observability/log.js";
import { contentOf, parseChunks, startGateway } from "../gateway.js";

/** The request in the README of the original project: nested messages, no `stream`, and the answer read line by line. */
const originalBody = {
  model: "moonshot-v1",
  messages: [{ role: "user", content: [{ content: "天空为什么不是红色", role: "user" }] }],
};

test.each(["/v1/chat/completions", "/v1/chat/completitions"])(
  "the original project's request to %s is streamed, with the original project's config file",
  async (path) => {
    const simulator = await startSimulator();
    const { accessToken, refreshToken } = simulator.issue();
    const folder = await mkdtemp(join(tmpdir(), "moonbridge-original-"));
    const configPath = join(folder, "config.json");
    await writeFile(
      configPath,
      `{\n  "token": "12345678", // for example\n  "auth_token": "Bearer ${accessToken}",\n  "refresh_token": "Bearer ${refreshToken}"\n}\n`,
    );
    const config = await loadAppConfig({ config: configPath, port: 0 }, {});
    const log = createLog("silent");
    const app = await createApp(
      {
        ...config,
        upstreams: config.upstreams.map((upstream) => ({
          ...upstream,
          baseUrl: simulator.url,
          authUrl: simulator.url,
        })),
      },
      log,
    );
    const server = await app.listen();
    // The original client sends json.dumps without a content type.
    const response = await request(`${server.url}${path}`, {
      method: "POST",
      headers: { authorization: "Bearer 12345678" },
      body: JSON.stringify(originalBody),
    });
    expect(response.statusCode).toBe(200);
    expect(response.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(contentOf(parseChunks(await response.body.text()))).toMatch(/天空为什么不是红色/);
    const chat = simulator.calls.find((call) => call.path.endsWith("/Chat"));
    expect(chat?.body).toMatchObject({
      message: { blocks: [{ text: { content: "天空为什么不是红色" } }] },
      options: { model: "k2d6-chat", thinking: false },
    });
    await server.stop();
    await app.close();
    await simulator.close();
  },
);

test("all parameters of the original project are accepted, with a valid API key only", async () => {
  const gateway = await startGateway();
  const body = {
    ...originalBody,
    stream: true,
    temperature: 0.3,
    presence_penalty: 0,
    frequency_penalty: 0,
    top_p: 1,
    max_tokens: 100,
  };
  const send = (headers: Record<string, string>) =>
    fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) });
  expect((await send({ authorization: "Bearer sk-CANARY-key" })).status).toBe(200);
  expect((await send({})).status).toBe(401);
});
