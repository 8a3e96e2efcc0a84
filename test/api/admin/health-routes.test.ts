import { describe, expect, test } from "vitest";
import { apiKey, chatBody, postChat, startGateway } from "../../gateway.js";
import { adminJson, requestAdmin, tokensOf } from "./administrator.js";

describe("the checks of doctor", () => {
  test("are answered whole, in English and in Chinese", async () => {
    const gateway = await startGateway();
    const { data } = await adminJson(gateway, "POST", "/diagnostics", { offline: true });
    expect(data).toContainEqual({ what: "node", state: "ok", detail: expect.any(String), remedy: null });
    const inChinese = await adminJson(gateway, "POST", "/diagnostics", { offline: true, language: "zh" });
    expect(JSON.stringify(inChinese.data)).toMatch(/[\u4e00-\u9fff]/);
  });

  test("are streamed as they are made, the short chat of an account among them", async () => {
    const gateway = await startGateway();
    const response = await requestAdmin(gateway, "POST", "/diagnostics", { stream: true });
    const text = await response.text();
    expect(text).toMatch(/^retry: 2000\n\nevent: finding\ndata: \{"what":"node"/);
    expect(text).toMatch(/account me, chat/);
    expect(text.endsWith("event: end\ndata: {}\n\n")).toBe(true);
  });

  test("run once at a time", async () => {
    const gateway = await startGateway();
    const runs = [1, 2].map(() => requestAdmin(gateway, "POST", "/diagnostics", { offline: true }));
    const statuses = (await Promise.all(runs)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 503]);
    expect((await requestAdmin(gateway, "POST", "/diagnostics", { offline: true })).status).toBe(200);
  });
});

test("the server tells its version, its files and the settings that need a restart", async () => {
  const gateway = await startGateway();
  expect(await adminJson(gateway, "GET", "/server")).toMatchObject({
    ...{ object: "server", version: expect.any(String), simulated: false, config_file: null },
    ...{ store: gateway.storePath, restart_needed: [] },
    journal: { days: 30, rows: 100_000, lost: 0, texts: false },
  });
  await gateway.replaceConfig({ server: { ...gateway.config.server, port: 1 } });
  expect(await adminJson(gateway, "GET", "/server")).toMatchObject({ restart_needed: ["server.port"] });
});

test("drift and the end of the log are listed, without the lines of requests", async () => {
  const gateway = await startGateway();
  gateway.simulator.fault({ kind: "unknown" });
  await (await postChat(gateway, chatBody("hello"))).text();
  const { data: drift } = await adminJson(gateway, "GET", "/drift");
  expect(drift).toContainEqual({ kind: expect.any(String), name: expect.any(String), count: 1 });
  const { data: lines } = await adminJson(gateway, "GET", "/log");
  expect(lines).toContainEqual({
    ...{ level: "warn", time: expect.stringMatching(/Z$/), fields: expect.any(Object) },
    message: "Kimi sent something that Moonbridge does not know",
  });
  expect(JSON.stringify(lines)).not.toContain('"message":"request"');
});

test("the support bundle has everything but secrets and texts", async () => {
  const keys = [{ name: "phone", key: "sk-CANARY-phone", scopes: ["chat" as const] }];
  const notify = { command: ["tell-CANARY"], webhook: "http://127.0.0.1:1/CANARY" };
  const gateway = await startGateway({ keys, notify });
  await (await postChat(gateway, chatBody("my CANARY prompt sim:say=CANARY-answer"))).text();
  await adminJson(gateway, "POST", "/diagnostics", { offline: true });
  const response = await requestAdmin(gateway, "GET", "/support-bundle");
  expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="moonbridge-support-/);
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({
    server: { version: expect.any(String) },
    config: {
      keys: [{ name: "test" }, { name: "phone", scopes: ["chat"] }],
      upstreams: [{ name: "me", kind: "kimi-web" }],
      notify: { command: true, webhook: true },
    },
    diagnostics: {
      offline: true,
      findings: expect.arrayContaining([expect.objectContaining({ state: "ok" })]),
    },
    requests: [{ route: "/v1/chat/completions", outcome: "ok" }],
  });
  for (const secret of ["CANARY", apiKey, ...tokensOf(gateway)]) expect(text).not.toContain(secret);
});
