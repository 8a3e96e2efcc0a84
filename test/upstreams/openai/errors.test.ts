import { expect, test } from "vitest";
import { delta, done, helloStream, nonStreamedAnswer } from "../../fixtures/moonshot.js";
import { apiKey, chatBody, parseChunks, postChat } from "../../gateway.js";
import {
  cutStream,
  gatewayTo,
  json,
  platformKey,
  type Script,
  startPlatform,
  stream,
  text,
} from "./scripted-platform.js";

const accountNames = "Your account org-CANARY1234<ak-CANARY5678>";

type Refusal = [status: number, error: object, became: number, code: string, more?: object];

/** Errors of moonshot-platform.md A.15, and of engines and proxies, with the expected status and code. */
const refusals: Refusal[] = [
  [
    400,
    { type: "content_filter", message: "The request was rejected because it was considered high risk" },
    400,
    "content_filter",
  ],
  [
    400,
    {
      type: "invalid_request_error",
      message: "Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)",
    },
    400,
    "context_length_exceeded",
  ],
  [
    400,
    { message: "This model's maximum context length is 4096 tokens", type: "BadRequestError", code: 400 },
    400,
    "context_length_exceeded",
  ],
  [
    400,
    { type: "invalid_request_error", message: "Invalid request: function name is invalid" },
    400,
    "invalid_request",
    { says: /says: “Invalid request: function name is invalid”$/ },
  ],
  [
    400,
    { type: "invalid_request_error", message: "bad", param: "messages[0].content" },
    400,
    "invalid_request",
    { param: "messages[0].content" },
  ],
  [
    401,
    { type: "invalid_authentication_error", message: "Invalid Authentication" },
    424,
    "account_login_required",
    { says: /refuses the key of the upstream “platform”/ },
  ],
  [
    401,
    { type: "incorrect_api_key_error", message: `Incorrect API key provided: ${platformKey}` },
    424,
    "account_login_required",
  ],
  [402, { message: "pay" }, 429, "insufficient_quota"],
  [
    403,
    { type: "permission_denied_error", message: "Your IP is not allowed to access this organization" },
    424,
    "account_login_required",
  ],
  [
    404,
    { type: "resource_not_found_error", message: "Not found the model kimi-k2.6 or Permission denied" },
    404,
    "model_not_found",
    { param: "model" },
  ],
  [404, { message: "no such page" }, 502, "upstream_protocol"],
  [413, { message: "Request exceeds the maximum size" }, 413, "request_too_large"],
  [422, { message: "bad" }, 400, "invalid_request"],
  [
    429,
    {
      type: "engine_overloaded_error",
      message: "The engine is currently overloaded, please try again later",
    },
    503,
    "upstream_overloaded",
    { retryAfter: "30" },
  ],
  [
    429,
    {
      type: "rate_limit_reached_error",
      message: `${accountNames} request reached organization max concurrency: 1, please try again after 7 seconds`,
    },
    429,
    "rate_limit_exceeded",
    { retryAfter: "7" },
  ],
  [
    429,
    {
      type: "rate_limit_reached_error",
      message: `${accountNames} request reached organization max RPM: 3, please try again after 1 seconds`,
    },
    429,
    "rate_limit_exceeded",
    { retryAfter: "20", says: /says: “Your account … request reached/ },
  ],
  [
    429,
    {
      type: "rate_limit_reached_error",
      message: `${accountNames} request reached organization TPD rate limit, current:9, limit:8`,
    },
    429,
    "insufficient_quota",
  ],
  [
    429,
    {
      type: "exceeded_current_quota_error",
      message: `${accountNames} is suspended due to insufficient balance, please recharge`,
    },
    429,
    "insufficient_quota",
  ],
  [500, { type: "server_error", message: "invalid state transition" }, 502, "upstream_unavailable"],
  [503, { type: "server_unavailable" }, 503, "upstream_overloaded", { retryAfter: "30" }],
  [529, {}, 503, "upstream_overloaded", { retryAfter: "30" }],
];

/** Words at which hubs disable a channel (clients.md §0.10). */
const channelDisablingWords = /credit|balance|permission denied|not allowed|api key/i;

test.each(refusals)("converts %i %j to %i %s", async (status, error, became, code, more = {}) => {
  const platform = await startPlatform();
  platform.respondWith(json(status, { error }));
  for (const streams of [true, false]) {
    const gateway = await gatewayTo(platform);
    const answer = await postChat(gateway, {
      ...chatBody("CANARY", { stream: streams }),
      model: "kimi-k2.6",
    });
    const returned = Object(await answer.json()).error;
    const { param = null, retryAfter = null, says = /\.|”$/ } = Object(more);
    expect({ status: answer.status, code: returned.code, param: returned.param }).toEqual({
      status: became,
      code,
      param,
    });
    expect(answer.headers.get("retry-after")).toBe(retryAfter);
    expect(answer.headers.get("x-should-retry")).toBe(
      ["account_login_required", "insufficient_quota"].includes(code) || became < 429 ? "false" : null,
    );
    expect(returned.message).toMatch(says);
    expect(returned.message).not.toMatch(channelDisablingWords);
    expect(returned.message).not.toMatch(/CANARY/);
  }
});

test.each([
  [text(504, "<html><title>504</title>", { "content-type": "text/html" }), 504, "timeout"],
  [text(301, "", { location: "https://elsewhere.example" }), 502, "upstream_unavailable"],
  [text(403, "<html>Blocked", { "content-type": "text/html" }), 502, "upstream_unavailable"],
  [text(403, "Blocked"), 424, "account_login_required"],
  [text(422, '{"detail":[{"msg":"field required"}]}'), 400, "invalid_request"],
  [json(503, {}, { "retry-after": "17" }), 503, "upstream_overloaded"],
])("converts a response without an error object by its status: %#", async (script, status, code) => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  platform.respondWith(script);
  const answer = await postChat(gateway, { ...chatBody("hi"), model: "kimi-k2.6" });
  expect(answer.status).toBe(status);
  const { error } = Object(await answer.json());
  expect(error.code).toBe(code);
  if (status === 400) expect(error.message).toMatch(/field required/);
  if (code === "upstream_overloaded") expect(answer.headers.get("retry-after")).toBe("17");
});

test("reports a refused key as login required until a request succeeds", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  const headers = { authorization: `Bearer ${apiKey}` };
  const state = async () => {
    const { upstreams } = Object(await (await fetch(`${gateway.url}/readyz`, { headers })).json());
    return upstreams.map((each: { state: string }) => each.state);
  };
  platform.respondWith(json(401, { error: { message: "no" } }), json(200, nonStreamedAnswer));
  const ask = { ...chatBody("hi"), model: "kimi-k2.6" };
  expect((await postChat(gateway, ask)).status).toBe(424);
  expect(await state()).toEqual(["ok", "login required"]);
  expect((await postChat(gateway, ask)).status).toBe(200);
  expect(await state()).toEqual(["ok", "ok"]);
});

test("keeps the service's key and the accounts it names out of logs and errors, whatever fails", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform, {}, { timeouts: { idle: 200, progress: 200 } });
  const echo = {
    message: `${accountNames} with ${platformKey}: CANARY prompt`,
    type: "CANARY prompt",
    code: "CANARY !",
  };
  const scripts: Script[] = [
    // After a 429 the service gets no request for as long as it says.
    ...[400, 401, 403, 404, 429, 500, 503].map((status) =>
      json(status, { error: echo }, { "retry-after": "1" }),
    ),
    json(200, { error: echo }),
    text(200, `<html>${platformKey}`),
    stream(helloStream[0] ?? "", `data: ${JSON.stringify({ error: echo })}\n\n`),
    stream(helloStream[0] ?? "", `data: CANARY ${platformKey}\n\n`),
    stream(...helloStream.slice(0, 3), delta({}, "error CANARY"), done),
    cutStream(...helloStream.slice(0, 3)),
    // No response at all: a stream times out; a whole answer has no idle timeout before its head.
    (response, call) => void (call.body.stream ? {} : response.destroy()),
  ];
  const responses: string[] = [];
  for (const script of scripts) {
    for (const streams of [true, false]) {
      platform.respondWith(script);
      const answer = await postChat(gateway, {
        ...chatBody("my CANARY prompt", { stream: streams }),
        model: "kimi-k2.6",
      });
      responses.push(await answer.text());
    }
  }
  await gateway.stop();
  const log = gateway
    .logEntries()
    .map((line) => JSON.stringify(line))
    .join("\n");
  expect(gateway.logEntries().length).toBeGreaterThan(20);
  expect(log).not.toMatch(/CANARY/);
  expect(responses.join("\n")).not.toContain(platformKey);
  expect(responses.join("\n")).not.toMatch(/org-CANARY|ak-CANARY/);
  expect(
    responses.filter((body) => body.startsWith("data:")).every((body) => parseChunks(body).at(-1)?.error),
  ).toBe(true);
});
