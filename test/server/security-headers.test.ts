import { expect, test } from "vitest";
import { apiKey, chatBody, postChat, startGateway } from "../gateway.js";

test("every response forbids browsers MIME sniffing, framing and scripts", async () => {
  const gateway = await startGateway();
  const stream = await postChat(gateway, chatBody("hello", { stream: true }));
  const responses = [
    stream,
    await postChat(gateway, chatBody("hello")),
    await fetch(`${gateway.url}/v1/models`),
    await fetch(`${gateway.url}/nowhere`),
    await fetch(`${gateway.url}/`),
    await fetch(`${gateway.url}/token`, { method: "POST" }),
    await fetch(`${gateway.url}/openapi.json`),
  ];
  for (const { headers, url } of responses) {
    const securityHeaders = Object.fromEntries(
      ["x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy"].map(
        (name) => [name, headers.get(name)],
      ),
    );
    expect([url, securityHeaders]).toEqual([
      url,
      {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      },
    ]);
  }
  await stream.text();
});

test("the documentation pages may run only scripts of the same origin", async () => {
  const gateway = await startGateway();
  for (const path of ["/docs", "/docs/static/swagger-ui-bundle.js"]) {
    const { headers } = await fetch(`${gateway.url}${path}`);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/default-src 'self'/);
    expect(policy).toMatch(/frame-ancestors 'none'/);
    expect(policy).not.toMatch(/unsafe-eval|script-src|https?:/);
    expect(headers.get("x-frame-options")).toBe("DENY");
  }
  // The page has no inline scripts, which the policy would block.
  const page = await (await fetch(`${gateway.url}/docs`)).text();
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=/);
});

test("scripts of other origins can read the response headers that CORS exposes", async () => {
  const gateway = await startGateway();
  const headers = { origin: "https://chat.example.org", authorization: `Bearer ${apiKey}` };
  const response = await fetch(`${gateway.url}/v1/models`, { headers });
  expect(response.headers.get("access-control-allow-origin")).toBe("https://chat.example.org");
  expect(response.headers.get("access-control-expose-headers")).toMatch(/x-ratelimit-remaining-requests/);
});
