import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { startRawServer, startServer, type TestServer } from "../files/test-servers.js";
import { nonStreamedAnswer } from "../fixtures/moonshot.js";
import {
  apiKey,
  chatBody,
  type Gateway,
  type GatewayOptions,
  type KimiKind,
  postChat,
  startGateway,
  waitUntil,
} from "../gateway.js";
import { gatewayTo, json, startPlatform } from "../upstreams/openai/scripted-platform.js";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const files = { allowPrivateLinks: true };
const otherKey = "sk-CANARY-other";
const keys = [{ name: "other", key: otherKey }];

/** A server whose pictures never end: they come byte by byte. */
function startDrippingServer(): Promise<TestServer> {
  return startRawServer((socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n");
    const timer = setInterval(() => socket.write("x"), 50);
    socket.on("close", () => clearInterval(timer));
  });
}

function pictureBody(links: readonly string[], fields: Record<string, unknown> = {}) {
  const pictures = links.map((url) => ({ type: "image_url", image_url: { url } }));
  const content = [{ type: "text", text: "What is it?" }, ...pictures];
  return { model: "kimi", messages: [{ role: "user", content }], ...fields };
}

const linkTo = ({ port }: { port: number }, path = "a.png") => `http://127.0.0.1:${port}/${path}`;

/** Sends requests with dripping links, and checks at the end that all of them were still running. */
async function besideDrippingLinks(
  gateway: Gateway,
  model: string,
  work: () => Promise<void>,
): Promise<void> {
  const site = await startDrippingServer();
  const leave = new AbortController();
  let ended = 0;
  for (let n = 0; n < 8; n++) {
    postChat(gateway, pictureBody([linkTo(site)], { model }), { signal: leave.signal })
      .catch(() => {})
      .finally(() => ended++);
  }
  await waitUntil(() => site.open.size === 8);
  await work();
  expect(ended).toBe(0);
  leave.abort();
  await waitUntil(() => site.open.size === 0);
}

/** Milliseconds of each request. */
async function measure(gateway: Gateway, body: unknown): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < 20; n++) {
    const startedAt = performance.now();
    const response = await postChat(gateway, body, { headers: { authorization: `Bearer ${otherKey}` } });
    expect([response.status, response.ok ? "" : await response.text()]).toEqual([200, ""]);
    await response.text();
    times.push(performance.now() - startedAt);
  }
  return times;
}

function report(where: string, alone: readonly number[], beside: readonly number[]): void {
  const shown = (times: readonly number[]) => `${Math.max(...times).toFixed(0)} ms`;
  process.stdout.write(
    `${where}: slowest of 20 requests ${shown(alone)} alone, ${shown(beside)} beside links\n`,
  );
}

describe("eight links that drip a byte at a time", () => {
  test.each<KimiKind>(["kimi-web", "kimi-legacy"])(
    "hold up no other request of a %s account",
    async (kind) => {
      const gateway = await startGateway({ kind, concurrency: 1, files, keys });
      const body = chatBody("hello");
      const alone = await measure(gateway, body);
      await besideDrippingLinks(gateway, "kimi", async () =>
        report(kind, alone, await measure(gateway, body)),
      );
    },
  );

  test("hold up no request of another key that has links itself", async () => {
    const gateway = await startGateway({ concurrency: 1, files, keys });
    const site = await startServer((_request, response) =>
      response.setHeader("content-type", "image/png").end(png),
    );
    const body = pictureBody([linkTo(site)]);
    const alone = await measure(gateway, body);
    await besideDrippingLinks(gateway, "kimi", async () =>
      report("links", alone, await measure(gateway, body)),
    );
  });

  test("hold up no request of a service that takes one at a time", async () => {
    const platform = await startPlatform();
    platform.respondWith(json(200, nonStreamedAnswer));
    const gateway = await gatewayTo(platform, { concurrency: 1 }, { files, keys });
    const body = { ...chatBody("hello"), model: "kimi-k2.6" };
    const alone = await measure(gateway, body);
    const work = async () => report("openai", alone, await measure(gateway, body));
    await besideDrippingLinks(gateway, "kimi-k2.6", work);
  });
});

describe("the time for the links of a request", () => {
  const start = (options: GatewayOptions = {}) =>
    startGateway({ files: { ...files, linkSeconds: 1 }, ...options });

  test("ends for a link that drips, with the part's path", async () => {
    const gateway = await start();
    const response = await postChat(gateway, pictureBody([linkTo(await startDrippingServer())]));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: "link_unreachable",
        param: "messages[0].content[1]",
        message: expect.stringMatching(/took too long.*1 s together/),
      },
    });
    expect(gateway.simulator.counts().chats).toBe(0);
  });

  test("is that of all of them together, however quick each one is", async () => {
    const gateway = await start();
    const site = await startServer(async (request, response) => {
      await sleep(400);
      response.setHeader("content-type", "image/png").end(`${request.url}`);
    });
    const links = ["1", "2", "3", "4", "5"].map((path) => linkTo(site, path));
    const response = await postChat(gateway, pictureBody(links));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "link_unreachable" } });
    expect(site.requests.length).toBeLessThan(5);
    expect((await postChat(gateway, pictureBody(links.slice(0, 1)))).status).toBe(200);
  });

  test("ends for a link in the text with a notice, and the request is answered", async () => {
    const gateway = await start({ files: { ...files, linkSeconds: 1, promptLinks: "documents" } });
    const site = await startDrippingServer();
    const response = await postChat(gateway, chatBody(`Read ${linkTo(site)}`));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      moonbridge_notices: [{ code: "link_not_read", message: expect.stringMatching(/took too long/) }],
    });
  });
});

test("a ninth link of one key waits until one of the eight is done, and those of another key do not", async () => {
  const gateway = await startGateway({ files, keys });
  const site = await startServer((_request, response) =>
    response.setHeader("content-type", "image/png").end(png),
  );
  await besideDrippingLinks(gateway, "kimi", async () => {
    const leave = new AbortController();
    const ninth = postChat(gateway, pictureBody([linkTo(site, "ninth")]), { signal: leave.signal });
    const headers = { authorization: `Bearer ${otherKey}` };
    expect((await postChat(gateway, pictureBody([linkTo(site, "other")]), { headers })).status).toBe(200);
    expect(site.requests.map(({ url }) => url)).toEqual(["/other"]);
    leave.abort();
    await expect(ninth).rejects.toThrow();
  });
  expect((await postChat(gateway, pictureBody([linkTo(site, "tenth")]))).status).toBe(200);
});

test("an upstream that takes over gets the files, too", async () => {
  const second = await startGateway();
  const gateway = await startGateway({
    baseUrl: "http://127.0.0.1:9",
    files,
    upstreams: () => [
      {
        name: "second",
        kind: "kimi-web",
        baseUrl: second.simulator.url,
        authUrl: second.simulator.url,
        ...second.simulator.issue(),
      },
    ],
    routes: { kimi: ["me", "second"] },
  });
  const site = await startServer((_request, response) =>
    response.setHeader("content-type", "image/png").end(png),
  );
  const response = await postChat(gateway, pictureBody([linkTo(site)]));
  expect([response.status, response.headers.get("x-moonbridge-upstream")]).toEqual([200, "second"]);
  const uploads = second.simulator.calls.filter(({ path }) => path.endsWith("/file/upload"));
  expect(uploads).toMatchObject([{ body: { size: png.length } }]);
});

test("a continued chat that is gone is replaced by a new one with the files of the whole history", async () => {
  const gateway = await startGateway();
  const url = `data:image/png;base64,${png.toString("base64")}`;
  const question = pictureBody([url]).messages;
  const { choices } = JSON.parse(
    await (await postChat(gateway, { model: "kimi", messages: question })).text(),
  );
  gateway.simulator.fault({ kind: "error", code: "not_found" });
  const messages = [...question, choices[0].message, { role: "user", content: "And?" }];
  expect((await postChat(gateway, { model: "kimi", messages })).status).toBe(200);
  const chats = gateway.simulator.calls.filter(({ path }) => path.endsWith("ChatService/Chat"));
  const blocks = chats.map(({ body }) => JSON.parse(JSON.stringify(body)).message.blocks);
  expect(blocks).toMatchObject([
    [{ text: {} }, { file: {} }],
    [{ text: { content: "And?" } }],
    [{ text: { content: expect.stringMatching(/\[attachment 1\][\s\S]*And\?$/) } }, { file: {} }],
  ]);
  const uploads = gateway.simulator.calls.filter(({ path }) => path.endsWith("/file/upload"));
  expect(uploads.length).toBe(1);
});

test("linked pictures that wait for a service are bounded in memory, and their memory is returned", async () => {
  const platform = await startPlatform();
  let hasFirst = false;
  platform.respondWith(async (response, call) => {
    hasFirst = true;
    await new Promise((resolve) => response.once("close", resolve));
    call.closedEarly = true;
  });
  const gateway = await gatewayTo(platform, { concurrency: 1 }, { files, keys });
  const site = await startServer((_request, response) =>
    response.setHeader("content-type", "image/png").end(Buffer.alloc(15 * 1_048_576)),
  );
  const leave = new AbortController();
  const body = pictureBody([linkTo(site)], { model: "kimi-k2.6" });
  const send = (init: RequestInit = {}) => postChat(gateway, body, init);
  send({ signal: leave.signal }).catch(() => {});
  await waitUntil(() => hasFirst);
  send({ signal: leave.signal }).catch(() => {});
  await waitUntil(() => gateway.logEntries().some(({ msg }) => msg === "a request waits for its turn"));
  const refused = await send();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
  expect(await refused.json()).toMatchObject({
    error: { code: "rate_limit_exceeded", message: expect.stringMatching(/this key.*linked pictures/) },
  });
  const tooMany = await postChat(
    gateway,
    pictureBody(
      [1, 2, 3].map(String).map((path) => linkTo(site, path)),
      { model: "kimi-k2.6" },
    ),
    {
      headers: { authorization: `Bearer ${otherKey}` },
    },
  );
  expect(tooMany.status).toBe(400);
  expect(await tooMany.json()).toMatchObject({ error: { code: "file_rejected" } });
  leave.abort();
  platform.respondWith(json(200, nonStreamedAnswer));
  await waitUntil(() => gateway.logEntries().filter(({ failure }) => failure === "cancelled").length === 2);
  expect((await send({ headers: { authorization: `Bearer ${apiKey}` } })).status).toBe(200);
});
