import { expect, test } from "vitest";
import { apiKey, startGateway } from "../../gateway.js";

const hello = JSON.stringify({ model: "kimi", max_tokens: 9, messages: [{ role: "user", content: "hi" }] });

type Case = [what: string, init: RequestInit & { path?: string }, status: number, type: string];

const cases: Case[] = [
  ["no key", { headers: {}, body: hello }, 401, "authentication_error"],
  ["a wrong key", { headers: { "x-api-key": "sk-wrong" }, body: hello }, 401, "authentication_error"],
  [
    "a key without the scope",
    { headers: { "x-api-key": "sk-CANARY-admin" }, body: hello },
    403,
    "permission_error",
  ],
  ["a body that is no JSON", { body: "{" }, 400, "invalid_request_error"],
  ["no body", {}, 400, "invalid_request_error"],
  ["a missing field", { body: "{}" }, 400, "invalid_request_error"],
  [
    "an unknown encoding",
    { headers: { "x-api-key": apiKey, "content-encoding": "lzma" }, body: hello },
    415,
    "invalid_request_error",
  ],
  ["another method", { method: "GET" }, 404, "not_found_error"],
  ["a path that is not there", { path: "/v1/messages/batches", body: hello }, 404, "not_found_error"],
  [
    "the same without the version",
    { path: "/messages/batches?beta=true", body: hello },
    404,
    "not_found_error",
  ],
  [
    "a missing field of what is counted",
    { path: "/v1/messages/count_tokens", body: "{}" },
    400,
    "invalid_request_error",
  ],
];

test.each(cases)(
  "%s is an error in Anthropic's form",
  async (_what, { path = "/v1/messages", ...init }, status, type) => {
    const gateway = await startGateway({
      keys: [{ name: "admin", key: "sk-CANARY-admin", scopes: ["admin"] }],
    });
    const headers = { "content-type": "application/json", ...(init.headers ?? { "x-api-key": apiKey }) };
    const response = await fetch(gateway.url + path, { method: "POST", ...init, headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      type: "error",
      error: { type, message: expect.stringMatching(/\w.*[.”]$/s) },
      request_id: response.headers.get("x-request-id"),
    });
    expect(response.headers.get("request-id")).toBe(response.headers.get("x-request-id"));
  },
);

test.each([undefined, "2023-06-01", "2026-10-21", "any"])("the version %s is accepted", async (version) => {
  const gateway = await startGateway();
  const headers = {
    "x-api-key": apiKey,
    "content-type": "application/json",
    ...(version ? { "anthropic-version": version, "anthropic-beta": "a-2026-01-01,b" } : {}),
  };
  const response = await fetch(`${gateway.url}/messages/?beta=true`, {
    method: "POST",
    headers,
    body: hello,
  });
  expect(response.status).toBe(200);
});
