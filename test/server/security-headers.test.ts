import { expect, test } from "vitest";
import { apiKey, asking, post, startGateway } from "../gateway.js";

test("every answer tells browsers to guess nothing, frame nothing and run nothing", async () => {
  const gateway = await startGateway();
  const stream = await post(gateway, asking("hello", { stream: true }));
  const answers = [
    stream,
    await post(gateway, asking("hello")),
    await fetch(`${gateway.url}/v1/models`),
    await fetch(`${gateway.url}/nowhere`),
    await fetch(`${gateway.url}/`),
    await fetch(`${gateway.url}/token`, { method: "POST" }),
    await fetch(`${gateway.url}/openapi.json`),
  ];
  for (const { headers, url } of answers) {
    const named = Object.fromEntries(
      ["x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy"].map(
        (name) => [name, headers.get(name)],
      ),
    );
    expect([url, named]).toEqual([
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

test("the documentation may run its own scripts and none from elsewhere", async () => {
  const gateway = await startGateway();
  for (const path of ["/docs", "/docs/static/swagger-ui-bundle.js"]) {
    const { headers } = await fetch(`${gateway.url}${path}`);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/default-src 'self'/);
    expect(policy).toMatch(/frame-ancestors 'none'/);
    expect(policy).not.toMatch(/unsafe-eval|script-src|https?:/);
    expect(headers.get("x-frame-options")).toBe("DENY");
  }
  // Nothing on the page that the policy would stop.
  const page = await (await fetch(`${gateway.url}/docs`)).text();
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=/);
});

test("scripts of other origins still read what CORS lets them", async () => {
  const gateway = await startGateway();
  const headers = { origin: "https://chat.example.org", authorization: `Bearer ${apiKey}` };
  const response = await fetch(`${gateway.url}/v1/models`, { headers });
  expect(response.headers.get("access-control-allow-origin")).toBe("https://chat.example.org");
  expect(response.headers.get("access-control-expose-headers")).toMatch(/x-ratelimit-remaining-requests/);
});
