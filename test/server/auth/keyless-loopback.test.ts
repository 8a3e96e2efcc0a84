import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { apiKey, type Gateway, startGateway } from "../../gateway.js";

/** Requests a path with exactly these headers; resolves to status and body. */
function get(gateway: Gateway, path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    request(`${gateway.url}${path}`, { headers }, async (response) => {
      const chunks = await response.toArray();
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
    })
      .on("error", reject)
      .end();
  });
}

describe("with server.keylessLoopback, a request without a key", () => {
  const server = { keylessLoopback: true };

  test.each<Record<string, string>>([
    {},
    { host: "localhost:11434" },
    { host: "127.0.0.1" },
    { host: "[::1]:6867" },
    { origin: "http://localhost:3000" },
    { origin: "app://obsidian.md" },
    { origin: "vscode-webview://1a2b3c" },
    { "sec-fetch-site": "none" },
  ])("is answered with the headers %j", async (headers) => {
    expect((await get(await startGateway({ server }), "/v1/models", headers)).status).toBe(200);
  });

  test.each<Record<string, string>>([
    { host: "evil.example:6867" },
    { host: "localhost.evil.example" },
    { host: "192.168.1.2:6867" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "chrome-extension://abcdef" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "x-forwarded-for": "127.0.0.1" },
    { forwarded: "for=127.0.0.1" },
    { via: "1.1 nginx" },
  ])("is refused with the headers %j", async (headers) => {
    const { status, body } = await get(await startGateway({ server }), "/v1/models", headers);
    expect(status).toBe(401);
    expect(body).toMatch(/server\.keylessLoopback is only for programs/);
  });

  test("may chat but not see accounts; a wrong key is refused, a right one counts", async () => {
    const gateway = await startGateway({ server });
    const chat = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content: "hello" }] }),
    });
    expect(chat.status).toBe(200);
    expect(gateway.logEntries().findLast((line) => line.msg === "request")?.key).toBe("no key");
    const accounts = await get(gateway, "/v1/accounts");
    expect(accounts).toMatchObject({ status: 403, body: expect.stringMatching(/without a key only chats/) });
    const withKey = (key: string) => get(gateway, "/v1/accounts", { authorization: `Bearer ${key}` });
    expect((await withKey("sk-wrong")).status).toBe(401);
    expect((await withKey(apiKey)).status).toBe(200);
  });
});

test("without it, a program on this machine needs a key", async () => {
  const { status, body } = await get(await startGateway(), "/v1/models");
  expect(status).toBe(401);
  expect(body).toMatch(/An API key is missing.*first start/);
});
