import { describe, expect, test } from "vitest";
import { apiKey, chatBody, type Gateway, postChat, startGateway, waitUntil } from "../../gateway.js";
import { adminJson, requestAdmin } from "./administrator.js";

type Listed = { data: Record<string, unknown>[]; next: string | null };

async function list(gateway: Gateway, query = ""): Promise<Listed> {
  const { data, next } = await adminJson(gateway, "GET", `/requests${query}`);
  if (!Array.isArray(data)) throw new Error("no list");
  return { data, next: typeof next === "string" ? next : null };
}

/** Resolves when so many requests have ended. */
async function ended(gateway: Gateway, count: number): Promise<void> {
  const lines = () => gateway.logEntries().filter(({ msg, route }) => msg === "request" && route !== "none");
  await waitUntil(
    () => lines().filter(({ route }) => !String(route).startsWith("/v1/admin")).length >= count,
  );
}

describe("GET /v1/admin/requests", () => {
  test("lists an answered, a failed, a refused and a cancelled request, the newest first", async () => {
    const gateway = await startGateway();
    await (await postChat(gateway, chatBody("sim:say=hello", { top_k: 3 }))).text();
    await ended(gateway, 1);
    gateway.simulator.fault({ kind: "cut", after: 2 });
    await (await postChat(gateway, chatBody("hello", { stream: true }))).text();
    await ended(gateway, 2);
    await postChat(gateway, chatBody("hello"), { headers: { authorization: "Bearer wrong" } });
    await ended(gateway, 3);
    const abort = new AbortController();
    const streaming = await postChat(gateway, chatBody("sim:slow=1000", { stream: true }), {
      signal: abort.signal,
    });
    abort.abort();
    await streaming.text().catch(() => {});
    await ended(gateway, 4);
    const { data, next } = await list(gateway);
    expect(next).toBeNull();
    expect(data).toMatchObject([
      { outcome: "cancelled", error_code: "cancelled", key: "test", upstream: "me" },
      {
        outcome: "failed",
        error_code: "invalid_api_key",
        status: 401,
        key: null,
        upstream: null,
        attempts: 0,
      },
      { outcome: "failed", error_code: "upstream_cut", upstream: "me", finish: null },
      {
        ...{ object: "request", outcome: "ok", error_code: null, status: 200, key: "test", upstream: "me" },
        ...{ dialect: "chat", method: "POST", route: "/v1/chat/completions", chat: "new", attempts: 1 },
        ...{ finish: "stop", estimated: true, ignored: ["top_k"] },
        output_tokens: expect.any(Number),
        first_output_ms: expect.any(Number),
      },
    ]);
    expect(await adminJson(gateway, "GET", `/requests/${data[3]?.id}`)).toEqual({ ...data[3], texts: null });
    expect((await list(gateway, "?outcome=failed&key=test")).data).toEqual([data[2]]);
    expect((await list(gateway, "?error_code=invalid_api_key")).data).toEqual([data[1]]);
    const firstPage = await list(gateway, "?limit=3");
    expect(firstPage.data).toEqual(data.slice(0, 3));
    expect((await list(gateway, `?limit=3&before=${firstPage.next}`)).data).toEqual(data.slice(3));
    expect((await list(gateway, `?until=${data[3]?.ended_at}`)).data).toEqual([]);
  });

  test("has no requests of monitoring, of preflights and of the console itself", async () => {
    const gateway = await startGateway();
    const headers = { authorization: `Bearer ${apiKey}` };
    for (const path of ["/healthz", "/metrics", "/openapi.json", "/nothing"])
      await fetch(gateway.url + path, { headers });
    await fetch(`${gateway.url}/v1/chat/completions`, { method: "OPTIONS" });
    await list(gateway);
    await fetch(`${gateway.url}/v1/models`, { headers });
    await ended(gateway, 1);
    await expect.poll(async () => (await list(gateway)).data).toMatchObject([{ route: "/v1/models" }]);
  });

  test.each([
    ["?limit=0", "limit"],
    ["?limit=501", "limit"],
    ["?before=x", "before"],
    ["?since=yesterday", "since"],
    ["?outcome=good", "outcome"],
  ])("refuses %s and names the parameter", async (query, param) => {
    const response = await requestAdmin(await startGateway(), "GET", `/requests${query}`);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param } }]);
  });

  test("says of an unknown id that the journal does not have it", async () => {
    const response = await requestAdmin(await startGateway(), "GET", "/requests/req_none");
    expect([response.status, await response.json()]).toMatchObject([404, { error: { code: "not_found" } }]);
  });
});

describe("the usage", () => {
  test("is summed by day, by hour and as CSV", async () => {
    const gateway = await startGateway();
    for (const fields of [{}, { model: "no-such-model" }])
      await (await postChat(gateway, chatBody("hello", fields))).text();
    await ended(gateway, 2);
    const counts = { requests: 2, errors: 1, cancelled: 0, input_tokens: expect.any(Number) };
    await expect
      .poll(async () => (await adminJson(gateway, "GET", "/usage")).data)
      .toMatchObject([{ name: "test", ...counts }]);
    expect(await adminJson(gateway, "GET", "/usage?by=outcome")).toMatchObject({
      by: "outcome",
      data: [
        { name: "model_not_found", requests: 1 },
        { name: "ok", requests: 1 },
      ],
    });
    expect((await adminJson(gateway, "GET", "/usage?to=2020-01-01")).data).toEqual([]);
    expect((await adminJson(gateway, "GET", "/usage/hours")).data).toMatchObject([
      { ...counts, hour: expect.stringMatching(/:00:00\.000Z$/), first_output_ms: expect.any(Number) },
    ]);
    const csv = await requestAdmin(gateway, "GET", "/usage.csv");
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(await csv.text()).toMatch(
      /^day,key,requests,errors,cancelled,input_tokens,cached_tokens,output_tokens\r\n[\d-]{10},"test",2,1,0,\d+,0,\d+\r\n$/,
    );
  });

  test("needs the scope admin", async () => {
    const gateway = await startGateway({ keys: [{ name: "chat", key: "chat-only" }] });
    for (const path of ["/requests", "/usage", "/usage.csv"]) {
      const response = await requestAdmin(gateway, "GET", path, undefined, { "x-api-key": "chat-only" });
      expect([path, response.status]).toEqual([path, 403]);
    }
  });
});
