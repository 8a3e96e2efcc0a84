import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { expect, test } from "vitest";
import { startSimulator } from "../../simulator/index.js";
import { openHouse } from "../../src/app/create-app.js";
import { loadConfig } from "../../src/config/load.js";
import { createLog } from "../../src/observability/log.js";
import { startServer } from "../../src/server/server.js";
import { chunksOf, startGateway, textOf } from "../gateway.js";

/** The call of the original's README: the odd message shape, no `stream`, the answer read line by line. */
const original = {
  model: "moonshot-v1",
  messages: [{ role: "user", content: [{ content: "天空为什么不是红色", role: "user" }] }],
};

test.each(["/v1/chat/completions", "/v1/chat/completitions"])(
  "the original's own call gets a streamed answer at %s, with the original's own config file",
  async (path) => {
    const simulator = await startSimulator();
    const { accessToken, refreshToken } = simulator.issue();
    const folder = await mkdtemp(join(tmpdir(), "moonbridge-original-"));
    const file = join(folder, "config.json");
    await writeFile(
      file,
      `{\n  "token": "12345678", // for example\n  "auth_token": "Bearer ${accessToken}",\n  "refresh_token": "Bearer ${refreshToken}"\n}\n`,
    );
    const config = await loadConfig({ config: file, port: 0 }, {});
    const log = createLog("silent");
    const house = await openHouse(
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
    const server = await startServer({ ...house, log, config });
    // Python's json.dumps as the body, without a content type.
    const response = await request(`${server.url}${path}`, {
      method: "POST",
      headers: { authorization: "Bearer 12345678" },
      body: JSON.stringify(original),
    });
    expect(response.statusCode).toBe(200);
    expect(response.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(textOf(chunksOf(await response.body.text()))).toMatch(/天空为什么不是红色/);
    const chat = simulator.calls.find((call) => call.path.endsWith("/Chat"));
    expect(chat?.body).toMatchObject({
      message: { blocks: [{ text: { content: "天空为什么不是红色" } }] },
      options: { model: "k2d6-chat", thinking: false },
    });
    await server.stop();
    await house.close();
    await simulator.close();
  },
);

test("all of the original's parameters are accepted; without the key nothing is", async () => {
  const gateway = await startGateway();
  const body = {
    ...original,
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
