import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { describe, expect, test } from "vitest";
import { limits } from "../../../src/core/limits.js";
import { apiKey, chatBody, type Gateway, startGateway } from "../../gateway.js";

type Answer = { status: number; cookie: string | undefined; text: string };

/** A request with any headers, also those that `fetch` sets itself. */
function send(
  gateway: Gateway,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const request = httpRequest(gateway.url + path, { method, headers: { ...json, ...headers } });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const cookie = response.headers["set-cookie"]?.[0];
        resolve({ status: response.statusCode ?? 0, cookie, text: Buffer.concat(chunks).toString() });
      });
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const logIn = (gateway: Gateway, body: unknown, headers: Record<string, string> = {}) =>
  send(gateway, "POST", "/v1/admin/sessions", headers, body);

/** The headers of a page of the console with a new session. */
async function page(gateway: Gateway): Promise<Record<string, string>> {
  const { cookie = "" } = await logIn(gateway, { code: await gateway.createLoginCode() });
  return { cookie: cookie.split(";")[0] ?? "", "sec-fetch-site": "same-origin" };
}

const current = "/v1/admin/sessions/current";

describe("a login at the console", () => {
  test("by a code gives a cookie that scripts cannot read, and that no other site's pages send", async () => {
    const gateway = await startGateway();
    const code = await gateway.createLoginCode();
    const { status, cookie, text } = await logIn(gateway, { code });
    expect([status, JSON.parse(text)]).toMatchObject([
      200,
      { object: "admin.session", key: "web console", scopes: ["chat", "admin"] },
    ]);
    expect(cookie).toMatch(
      /^moonbridge_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(text).not.toContain(cookie?.slice("moonbridge_session=".length, 60).split(";")[0]);
  });

  test("by HTTPS gives a cookie for HTTPS only", async () => {
    const gateway = await startGateway();
    const { cookie } = await logIn(gateway, { key: apiKey }, { "x-forwarded-proto": "https" });
    expect(cookie).toMatch(/; Secure$/);
  });

  test("uses up its code", async () => {
    const gateway = await startGateway();
    const code = await gateway.createLoginCode();
    const statuses = await Promise.all([1, 2, 3].map(async () => (await logIn(gateway, { code })).status));
    expect(statuses.sort()).toEqual([200, 401, 401]);
  });

  test("by codes that are guessed is limited, and a right code still works", async () => {
    const gateway = await startGateway();
    const statuses: number[] = [];
    for (let index = 0; index <= limits.failedTokenRequests.tokens; index++)
      statuses.push((await logIn(gateway, { code: `guess-${index}` })).status);
    expect(statuses.slice(0, -1).every((status) => status === 401)).toBe(true);
    expect(statuses.at(-1)).toBe(429);
    expect((await logIn(gateway, { code: await gateway.createLoginCode() })).status).toBe(200);
  });

  test("never takes over a cookie that the browser had, and ends its session", async () => {
    const gateway = await startGateway();
    const fixed = `moonbridge_session=${"f".repeat(43)}`;
    const first = await logIn(gateway, { key: apiKey }, { cookie: fixed });
    const cookie = first.cookie?.split(";")[0] ?? "";
    expect(cookie).not.toBe(fixed);
    expect((await send(gateway, "GET", current, { cookie: fixed })).status).toBe(401);
    expect((await send(gateway, "GET", current, { cookie })).status).toBe(200);
    await logIn(gateway, { key: apiKey }, { cookie });
    expect((await send(gateway, "GET", current, { cookie })).status).toBe(401);
  });

  test.each([
    ["a key without the scope admin", { key: "chat-only" }, 403],
    ["a wrong key", { key: "wrong" }, 401],
    ["nothing", {}, 400],
    ["both", { key: apiKey, code: "x" }, 400],
  ])("with %s is refused", async (_name, body, status) => {
    const gateway = await startGateway({ keys: [{ name: "chat", key: "chat-only", scopes: ["chat"] }] });
    const answer = await logIn(gateway, body);
    expect([answer.status, answer.cookie]).toEqual([status, undefined]);
  });

  test("is refused from a page of another origin", async () => {
    const gateway = await startGateway();
    const code = await gateway.createLoginCode();
    for (const headers of [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }])
      expect((await logIn(gateway, { code }, headers)).status).toBe(403);
    expect((await logIn(gateway, { code })).status).toBe(200);
  });
});

describe("a session of the console", () => {
  test("opens the console's API and chats, as the key that it was made with", async () => {
    const gateway = await startGateway();
    const { cookie = "" } = await logIn(gateway, { key: apiKey });
    const headers = { cookie: cookie.split(";")[0] ?? "", "sec-fetch-site": "same-origin" };
    const session = await send(gateway, "GET", current, headers);
    expect(JSON.parse(session.text)).toMatchObject({ key: "test", scopes: ["chat", "admin"] });
    const chat = await send(gateway, "POST", "/v1/chat/completions", headers, chatBody("sim:say=hello"));
    expect([chat.status, chat.text]).toEqual([200, expect.stringContaining("hello")]);
  });

  test("ends by logging out, for this session or for all", async () => {
    const gateway = await startGateway();
    const [one, other, third] = [await page(gateway), await page(gateway), await page(gateway)];
    const loggedOut = await send(gateway, "DELETE", current, one);
    expect([loggedOut.status, loggedOut.cookie]).toEqual([200, expect.stringContaining("Max-Age=0")]);
    expect((await send(gateway, "GET", current, one)).status).toBe(401);
    const { text } = await send(gateway, "DELETE", "/v1/admin/sessions", other);
    expect(JSON.parse(text)).toMatchObject({ deleted: 2 });
    expect((await send(gateway, "GET", current, third)).status).toBe(401);
  });

  test("ends with the API key that it was made with", async () => {
    const gateway = await startGateway({
      keys: [{ name: "mine", key: "sk-CANARY-mine", scopes: ["admin"] }],
    });
    const { cookie = "" } = await logIn(gateway, { key: "sk-CANARY-mine" });
    const headers = { cookie: cookie.split(";")[0] ?? "" };
    expect((await send(gateway, "GET", current, headers)).status).toBe(200);
    await gateway.replaceConfig({ keys: [{ name: "mine", key: "sk-CANARY-other", scopes: ["admin"] }] });
    expect((await send(gateway, "GET", current, headers)).status).toBe(401);
  });

  test("is stored as a hash, and a code as well", async () => {
    const gateway = await startGateway();
    const code = await gateway.createLoginCode();
    const { cookie = "" } = await logIn(gateway, { code });
    const unused = await gateway.createLoginCode();
    const secret = cookie.slice("moonbridge_session=".length).split(";")[0] ?? "";
    const stored = ["", "-wal"].map((end) => readFileSync(gateway.storePath + end, "latin1")).join("");
    for (const text of [secret, code, unused]) expect(stored).not.toContain(text);
  });

  test.each<[string, Record<string, string>]>([
    ["a form of another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["a fetch of another port", { "sec-fetch-site": "same-site", origin: "http://127.0.0.1:1" }],
    ["a browser without Sec-Fetch-Site", { "sec-fetch-site": "", origin: "https://evil.example" }],
    ["a sandboxed page", { "sec-fetch-site": "", origin: "null" }],
    ["a program that says nothing of its origin", { "sec-fetch-site": "" }],
  ])("does not count for a change by %s", async (_name, foreign) => {
    const gateway = await startGateway();
    const own = await page(gateway);
    const headers = Object.fromEntries(Object.entries({ ...own, ...foreign }).filter(([, value]) => value));
    for (const [method, path, body] of [
      ["POST", "/v1/admin/keys", { name: "stolen" }],
      ["DELETE", "/v1/admin/sessions", undefined],
      ["POST", "/v1/chat/completions", chatBody("hello")],
    ] as const) {
      const { status, text } = await send(gateway, method, path, headers, body);
      expect([path, status, JSON.parse(text)]).toMatchObject([
        path,
        403,
        { error: { code: "origin_forbidden" } },
      ]);
    }
    expect((await send(gateway, "GET", current, own)).status).toBe(200);
  });

  test("does not count for a picture or a link in a page of another site", async () => {
    const gateway = await startGateway();
    const { cookie = "" } = await page(gateway);
    for (const site of ["cross-site", "same-site"])
      expect((await send(gateway, "GET", current, { cookie, "sec-fetch-site": site })).status).toBe(403);
    for (const headers of [{ cookie }, { cookie, "sec-fetch-site": "none" }])
      expect((await send(gateway, "GET", current, headers)).status).toBe(200);
  });

  test("counts for a change with the console's own origin, where the browser sends no Sec-Fetch-Site", async () => {
    const gateway = await startGateway();
    const { cookie = "" } = await page(gateway);
    const { status } = await send(gateway, "DELETE", current, { cookie, origin: gateway.url });
    expect(status).toBe(200);
  });
});

describe("the console's API", () => {
  test.each<[string, number]>([
    ["rebound.example", 403],
    ["127.0.0.1.rebound.example:6867", 403],
    ["localhost.rebound.example", 403],
    ["127.0.0.1", 200],
    ["[::1]:6867", 200],
    ["localhost:6867", 200],
    ["Moonbridge.LAN:6867", 200],
  ])("answers at the name %s with %d", async (host, status) => {
    const gateway = await startGateway({ server: { hosts: ["moonbridge.lan"] } });
    const authorization = `Bearer ${apiKey}`;
    expect((await send(gateway, "GET", "/v1/admin/requests", { host, authorization })).status).toBe(status);
    // The API with a key answers to any name, as containers need.
    expect((await send(gateway, "GET", "/v1/models", { host, authorization })).status).toBe(200);
    const { cookie = "" } = await page(gateway);
    expect((await send(gateway, "GET", "/v1/models", { host, cookie })).status).toBe(status);
    expect((await logIn(gateway, { key: apiKey }, { host })).status).toBe(status);
  });

  test("is not cached", async () => {
    const gateway = await startGateway();
    for (const path of ["/v1/admin/requests", "/v1/admin/sessions/current"]) {
      const headers = { authorization: `Bearer ${apiKey}` };
      const { headers: answered } = await fetch(gateway.url + path, { headers });
      expect([path, answered.get("cache-control")]).toEqual([path, "no-store"]);
    }
  });
});
