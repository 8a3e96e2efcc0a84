import { expect, test } from "vitest";
import {
  apiKey,
  chatBody,
  contentOf,
  type Gateway,
  parseChunks,
  postChat,
  startGateway,
} from "../gateway.js";

const other = { name: "other", key: "sk-CANARY-other-0123456789" };

/** The configuration's own values of some sections. */
const server = {
  ...{ host: "127.0.0.1", port: 0, alsoListen: [], hosts: [], cors: ["*"], keylessLoopback: false },
  ...{ unknownParameters: "reject" as const, shutdownSeconds: 5 },
};
const files = { maxBytes: 1_000_000, linkSeconds: 60, allowPrivateLinks: false, promptLinks: "off" as const };

const ask = (gateway: Gateway, fields: object = {}, key = apiKey) =>
  postChat(gateway, chatBody("sim:say=hello", { ...fields }), {
    headers: { authorization: `Bearer ${key}` },
  });

test("a key that is added opens, one that is taken out is refused, and so are the tokens it was given", async () => {
  const gateway = await startGateway({ keys: [other] });
  const form = new URLSearchParams({
    ...{ grant_type: "client_credentials", client_id: "other", client_secret: other.key },
  });
  const response = await fetch(`${gateway.url}/token`, { method: "POST", body: form });
  const { access_token: token } = JSON.parse(await response.text());
  expect((await ask(gateway, {}, token)).status).toBe(200);
  await gateway.replaceConfig({ keys: [{ ...other, name: "third", key: `${other.key}-3` }] });
  expect((await ask(gateway, {}, other.key)).status).toBe(401);
  expect((await ask(gateway, {}, token)).status).toBe(401);
  expect((await ask(gateway)).status).toBe(401);
  expect((await ask(gateway, {}, `${other.key}-3`)).status).toBe(200);
});

test("routes, aliases, CORS, unknown parameters and keyless programs follow the configuration", async () => {
  const gateway = await startGateway();
  const statuses = async () => {
    const fromPage = await ask(gateway);
    const page = await fetch(`${gateway.url}/healthz`, { headers: { origin: "https://a.example" } });
    await fromPage.text();
    return {
      route: (await ask(gateway, { model: "gpt-x" })).status,
      alias: (await ask(gateway, { model: "gpt-y" })).status,
      unknown: (await ask(gateway, { foo: 1 })).status,
      keyless: (await fetch(`${gateway.url}/v1/models`)).status,
      cors: page.headers.get("access-control-allow-origin"),
    };
  };
  const before = { route: 404, alias: 404, unknown: 400, keyless: 401, cors: "https://a.example" };
  expect(await statuses()).toEqual(before);
  await gateway.replaceConfig({
    routes: { "gpt-x": ["me"] },
    modelAliases: { "gpt-y": "kimi" },
    server: { ...server, cors: ["https://b.example"], unknownParameters: "ignore", keylessLoopback: true },
  });
  expect(await statuses()).toEqual({ route: 200, alias: 200, unknown: 200, keyless: 200, cors: null });
  await gateway.replaceConfig({});
  expect(await statuses()).toEqual(before);
});

test("queues, the size of files and the log's level follow the configuration", async () => {
  const gateway = await startGateway({
    ...{ concurrency: 1, queue: { depth: 0 }, logLevel: "error" },
    simulator: { script: () => [{ do: "text", content: ["first of it"] }, { do: "stall" }] },
  });
  const client = new AbortController();
  const stream = () =>
    postChat(gateway, chatBody("hello", { model: "kimi", stream: true }), { signal: client.signal });
  const upload = async () => {
    const body = new FormData();
    body.append("file", new Blob(["x".repeat(2_000)]), "a.txt");
    const headers = { authorization: `Bearer ${apiKey}` };
    return (await fetch(`${gateway.url}/v1/files`, { method: "POST", headers, body })).status;
  };
  expect((await stream()).status).toBe(200);
  expect((await stream()).status).toBe(429);
  expect(await upload()).toBe(200);
  expect(gateway.logEntries()).toEqual([]);
  await gateway.replaceConfig({
    queue: { depth: 1, waitSeconds: 1 },
    files: { ...files, folder: "not in force before a restart", maxBytes: 1_000 },
    log: { level: "info" },
  });
  // It waits for the account now, until queue.waitSeconds have passed.
  expect(await (await stream()).text()).toContain("took too long");
  expect(await upload()).toBe(400);
  expect(gateway.logEntries()).toContainEqual(expect.objectContaining({ route: "/v1/files", status: 400 }));
  client.abort();
});

test("an answer keeps the settings that it began with", async () => {
  const gateway = await startGateway({
    streams: { visibleErrors: true },
    simulator: {
      script: () => [
        { do: "text", content: ["first of it"] },
        { do: "wait", milliseconds: 300 },
        { do: "text", content: [", and the rest"] },
      ],
    },
  });
  const response = await ask(gateway, { stream: true, model: "kimi" });
  expect(response.status).toBe(200);
  await gateway.replaceConfig({ keys: [], routes: { "gpt-x": ["me"] }, streams: { visibleErrors: false } });
  expect(contentOf(parseChunks(await response.text()))).toBe("first of it, and the rest");
  expect((await ask(gateway)).status).toBe(401);
});
