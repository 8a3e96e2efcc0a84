import { expect, test } from "vitest";
import { delta, done, hello, whole } from "../../fixtures/moonshot.js";
import { asking, chunksOf, post } from "../../gateway.js";
import {
  cutStream,
  gatewayTo,
  json,
  platformKey,
  type Script,
  startPlatform,
  stream,
  text,
} from "./platform.js";

const account = "Your account org-CANARY1234<ak-CANARY5678>";

type Refusal = [status: number, error: object, became: number, code: string, more?: object];

/** The errors of moonshot-platform.md A.15, and those of engines and proxies. */
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
    503,
    "account_login_required",
    { says: /refuses the key of the upstream “platform”/ },
  ],
  [
    401,
    { type: "incorrect_api_key_error", message: `Incorrect API key provided: ${platformKey}` },
    503,
    "account_login_required",
  ],
  [402, { message: "pay" }, 429, "insufficient_quota"],
  [
    403,
    { type: "permission_denied_error", message: "Your IP is not allowed to access this organization" },
    503,
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
      message: `${account} request reached organization max concurrency: 1, please try again after 7 seconds`,
    },
    429,
    "rate_limit_exceeded",
    { retryAfter: "7" },
  ],
  [
    429,
    {
      type: "rate_limit_reached_error",
      message: `${account} request reached organization max RPM: 3, please try again after 1 seconds`,
    },
    429,
    "rate_limit_exceeded",
    { retryAfter: "20", says: /says: “Your account … request reached/ },
  ],
  [
    429,
    {
      type: "rate_limit_reached_error",
      message: `${account} request reached organization TPD rate limit, current:9, limit:8`,
    },
    429,
    "insufficient_quota",
  ],
  [
    429,
    {
      type: "exceeded_current_quota_error",
      message: `${account} is suspended due to insufficient balance, please recharge`,
    },
    429,
    "insufficient_quota",
  ],
  [500, { type: "server_error", message: "invalid state transition" }, 502, "upstream_unavailable"],
  [503, { type: "server_unavailable" }, 503, "upstream_overloaded", { retryAfter: "30" }],
  [529, {}, 503, "upstream_overloaded", { retryAfter: "30" }],
];

/** Words at which hubs switch a channel off (clients.md §0.10). */
const alarming = /credit|balance|permission denied|not allowed|api key/i;

test.each(refusals)("%i %j → %i %s", async (status, error, became, code, more = {}) => {
  const platform = await startPlatform();
  platform.will(json(status, { error }));
  for (const streams of [true, false]) {
    const gateway = await gatewayTo(platform);
    const answer = await post(gateway, { ...asking("CANARY", { stream: streams }), model: "kimi-k2.6" });
    const told = Object(await answer.json()).error;
    const { param = null, retryAfter = null, says = /\.|”$/ } = Object(more);
    expect({ status: answer.status, code: told.code, param: told.param }).toEqual({
      status: became,
      code,
      param,
    });
    expect(answer.headers.get("retry-after")).toBe(retryAfter);
    expect(answer.headers.get("x-should-retry")).toBe(
      ["account_login_required", "insufficient_quota"].includes(code) || became < 429 ? "false" : null,
    );
    expect(told.message).toMatch(says);
    expect(told.message).not.toMatch(alarming);
    expect(told.message).not.toMatch(/CANARY/);
  }
});

test.each([
  [text(504, "<html><title>504</title>", { "content-type": "text/html" }), 504, "timeout"],
  [text(301, "", { location: "https://elsewhere.example" }), 502, "upstream_protocol"],
  [text(422, '{"detail":[{"msg":"field required"}]}'), 400, "invalid_request"],
  [json(503, {}, { "retry-after": "17" }), 503, "upstream_overloaded"],
])("what is no error object has the meaning of its status: %#", async (script, status, code) => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  platform.will(script);
  const answer = await post(gateway, { ...asking("hi"), model: "kimi-k2.6" });
  expect(answer.status).toBe(status);
  const { error } = Object(await answer.json());
  expect(error.code).toBe(code);
  if (status === 400) expect(error.message).toMatch(/field required/);
  if (status === 503) expect(answer.headers.get("retry-after")).toBe("17");
});

test("a refused key shows in the account's state until the service takes one again", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  const state = async () => {
    const { upstreams } = Object(await (await fetch(`${gateway.url}/readyz`)).json());
    return upstreams.map((each: { state: string }) => each.state);
  };
  platform.will(json(401, { error: { message: "no" } }), json(200, whole));
  const ask = { ...asking("hi"), model: "kimi-k2.6" };
  expect((await post(gateway, ask)).status).toBe(503);
  expect(await state()).toEqual(["ok", "login required"]);
  expect((await post(gateway, ask)).status).toBe(200);
  expect(await state()).toEqual(["ok", "ok"]);
});

test("the service's key and the accounts it names reach no log and no error, whatever goes wrong", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform, {}, { patience: { silence: 200, progress: 200 } });
  const echo = {
    message: `${account} with ${platformKey}: CANARY prompt`,
    type: "CANARY prompt",
    code: "CANARY !",
  };
  const scripts: Script[] = [
    // After a 429 the service is left alone for as long as it says.
    ...[400, 401, 403, 404, 429, 500, 503].map((status) =>
      json(status, { error: echo }, { "retry-after": "1" }),
    ),
    json(200, { error: echo }),
    text(200, `<html>${platformKey}`),
    stream(hello[0] ?? "", `data: ${JSON.stringify({ error: echo })}\n\n`),
    stream(hello[0] ?? "", `data: CANARY ${platformKey}\n\n`),
    stream(...hello.slice(0, 3), delta({}, "error CANARY"), done),
    cutStream(...hello.slice(0, 3)),
    // Nothing at all: a stream is given up; a whole answer may take its time.
    (response, call) => void (call.body.stream ? {} : response.destroy()),
  ];
  const told: string[] = [];
  for (const script of scripts) {
    for (const streams of [true, false]) {
      platform.will(script);
      const answer = await post(gateway, {
        ...asking("my CANARY prompt", { stream: streams }),
        model: "kimi-k2.6",
      });
      told.push(await answer.text());
    }
  }
  await gateway.stop();
  const log = gateway
    .log()
    .map((line) => JSON.stringify(line))
    .join("\n");
  expect(gateway.log().length).toBeGreaterThan(20);
  expect(log).not.toMatch(/CANARY/);
  expect(told.join("\n")).not.toContain(platformKey);
  expect(told.join("\n")).not.toMatch(/org-CANARY|ak-CANARY/);
  expect(told.filter((body) => body.startsWith("data:")).every((body) => chunksOf(body).at(-1)?.error)).toBe(
    true,
  );
});
