import { request as httpRequest } from "node:http";
import { describe, expect, test } from "vitest";
import {
  type ClientParameter,
  clientParameters,
  type ParameterType,
} from "../../src/api/openai-chat/client-parameters.js";
import { canonicalUrl } from "../../src/server/canonical-url.js";
import { apiKey, chatBody, contentOf, parseChunks, postChat, startGateway } from "../gateway.js";
import { openAiSchemas } from "../openai-schemas.js";

describe("authentication", () => {
  test.each([
    ["authorization", `Bearer ${apiKey}`],
    ["authorization", `bearer  ${apiKey}`],
    ["authorization", apiKey],
    ["x-api-key", apiKey],
    ["api-key", apiKey],
  ])("accepts the API key in the header %s: %s", async (header, value) => {
    const gateway = await startGateway();
    expect((await fetch(`${gateway.url}/v1/models`, { headers: { [header]: value } })).status).toBe(200);
  });

  test.each([
    ["Bearer sk-other"],
    ["Bearer "],
    [""],
    [`Bearer ${apiKey}x`],
    [`Bearer ${apiKey.slice(1)}`],
    ["Basic eA=="],
  ])("refuses the authorization header “%s”", async (authorization) => {
    const gateway = await startGateway();
    const response = await fetch(`${gateway.url}/v1/models`, { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await response.json()).toMatchObject({ error: { code: "invalid_api_key", param: null } });
  });

  test("refuses an API key in the URL", async () => {
    const gateway = await startGateway();
    expect((await fetch(`${gateway.url}/v1/models?key=${apiKey}&api_key=${apiKey}`)).status).toBe(401);
  });
});

describe("browsers", () => {
  const origin = "https://chat.example.org";

  test("get an answer to a preflight without a key, which allows the requested headers", async () => {
    const gateway = await startGateway();
    const headers = "authorization,content-type,x-stainless-arch,x-stainless-helper-method";
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": headers,
        "access-control-request-private-network": "true",
      },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(response.headers.get("access-control-allow-headers")).toBe(headers);
    expect(response.headers.get("access-control-allow-methods")).toMatch(/POST/);
    expect(response.headers.get("access-control-allow-private-network")).toBe("true");
    expect(Number(response.headers.get("access-control-max-age"))).toBeGreaterThanOrEqual(600);
    expect((await fetch(`${gateway.url}/anything`, { method: "OPTIONS" })).status).toBeLessThan(500);
  });

  test("can read streams and errors across origins", async () => {
    const gateway = await startGateway();
    const headers = { origin, authorization: `Bearer ${apiKey}` };
    const stream = await postChat(gateway, chatBody("hello", { stream: true }), { headers });
    const invalid = await postChat(gateway, "{", { headers });
    const unknown = await fetch(`${gateway.url}/nowhere`, { headers: { origin } });
    const unauthorized = await postChat(gateway, chatBody("hello"), { headers: { origin } });
    for (const response of [stream, invalid, unknown, unauthorized]) {
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(response.headers.get("access-control-expose-headers")).toMatch(
        /x-request-id.*retry-after.*x-should-retry/,
      );
      expect(response.headers.get("x-request-id")).toMatch(/^req_/);
      await response.text();
    }
  });

  test("are limited to the configured origins, if there are any", async () => {
    const gateway = await startGateway({ server: { cors: [origin] } });
    const allowedOriginFor = async (requestOrigin: string) => {
      const response = await fetch(`${gateway.url}/healthz`, { headers: { origin: requestOrigin } });
      return response.headers.get("access-control-allow-origin");
    };
    expect(await allowedOriginFor(origin)).toBe(origin);
    expect(await allowedOriginFor("https://evil.example")).toBeNull();
  });
});

test("a stream has the headers that stop proxies from buffering it", async () => {
  const gateway = await startGateway();
  const headers = {
    authorization: `Bearer ${apiKey}`,
    "accept-encoding": "gzip, br, zstd",
    accept: "application/json",
  };
  const response = await postChat(
    gateway,
    chatBody("hello", { stream: true, temperature: 1, max_tokens: 500 }),
    {
      headers,
    },
  );
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
  expect(response.headers.get("x-accel-buffering")).toBe("no");
  expect(response.headers.get("content-encoding")).toBeNull();
  expect(response.headers.get("content-length")).toBeNull();
  expect(response.headers.get("x-moonbridge-upstream")).toBe("me");
  expect(response.headers.get("x-moonbridge-ignored")).toBe("temperature");
  expect(parseChunks(await response.text()).at(-1)?.choices[0]?.finish_reason).toBe("stop");
});

test("a very long delta is split into lines that every SSE reader accepts", async () => {
  const longText = `${"长".repeat(40_000)}${"🌙".repeat(20_000)}${"\u0001".repeat(9_000)}`;
  const gateway = await startGateway({ simulator: { script: () => [{ do: "text", content: [longText] }] } });
  const body = await (await postChat(gateway, chatBody("hello", { stream: true }))).text();
  expect(contentOf(parseChunks(body))).toBe(longText);
});

describe("paths", () => {
  test.each([
    ["/chat/completions", "/v1/chat/completions"],
    ["/v1/v1/chat/completions", "/v1/chat/completions"],
    ["/v1/chat/completions/", "/v1/chat/completions"],
    ["/v1/chat/completitions?beta=true", "/v1/chat/completions?beta=true"],
    ["/responses", "/v1/responses"],
    ["/v1/v1/responses/resp_1/input_items/", "/v1/responses/resp_1/input_items"],
    ["/messages?beta=true", "/v1/messages?beta=true"],
    ["/v1/v1/messages/count_tokens/", "/v1/messages/count_tokens"],
    ["/models", "/v1/models"],
    ["/models/kimi", "/v1/models/kimi"],
    ["//v1//models", "/v1/models"],
    ["/v1", "/v1"],
    ["/", "/"],
    ["/docs/", "/docs"],
    ["/docs/static/index.html", "/docs/static/index.html"],
    ["/healthz?x=1", "/healthz?x=1"],
    ["/v11/models", "/v11/models"],
    ["/v1/models/%E4%BD%A0?a=%E0", "/v1/models/%E4%BD%A0?a=%E0"],
    ["/models/%E0%A4%A?a=%E0", "/v1/models/%25E0%25A4%25A?a=%E0"],
  ])("%s is routed as %s", (url, canonical) => {
    expect(canonicalUrl(url)).toBe(canonical);
  });

  test("an unknown path is a 404 whose message names the method and the path", async () => {
    const gateway = await startGateway();
    for (const path of ["/v1/embeddings", "/v1/audio/speech", "/nope", "/v1/chat"]) {
      const response = await fetch(`${gateway.url}${path}?secret=CANARY`, { method: "POST", body: "x" });
      expect(response.status).toBe(404);
      const { error } = (await response.json()) as { error: { message: string } };
      expect(error.message).toContain(`POST ${path}`);
      expect(error.message).not.toContain("CANARY");
    }
  });

  test("a path that cannot be decoded is a 404 that does not quote the query", async () => {
    const gateway = await startGateway();
    const response = await fetch(`${gateway.url}/%E0%A4%A?key=CANARY`, {
      headers: { origin: "http://ui.example" },
    });
    expect(response.status).toBe(404);
    expect(response.headers.get("access-control-allow-origin")).toBe("http://ui.example");
    expect(await response.json()).toMatchObject({
      error: { code: "not_found", message: expect.not.stringMatching(/CANARY/) },
    });
  });

  test("probes of clients and health checks are answered without a key", async () => {
    const gateway = await startGateway();
    expect((await fetch(`${gateway.url}/`, { method: "HEAD" })).status).toBe(200);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${gateway.url}/api/hello`, { method: "HEAD" })).status).toBe(200);
  });
});

describe("requests", () => {
  test.each([
    [{ messages: "hello" }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: [{ role: "user", content: " " }, { role: "assistant" }] }, "messages"],
    [{}, "messages"],
    [{ messages: [{ content: "x" }] }, "messages[0].role"],
    [{ ...chatBody("x"), temperature: "hot" }, "temperature"],
    [{ ...chatBody("x"), stream: "yes" }, "stream"],
    [{ ...chatBody("x"), temprature: 1 }, "temprature"],
    [
      chatBody("x", {
        messages: [
          { role: "user", content: [{ type: "image_url", image_url: { url: "http://127.0.0.1/a.png" } }] },
        ],
      }),
      "messages[0].content[0]",
    ],
  ])("an invalid body is a 400 that names the field: %j", async (body, param) => {
    const gateway = await startGateway();
    const response = await postChat(gateway, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param, type: "invalid_request_error" } });
  });

  test("every known parameter is accepted with a plausible value", async () => {
    const gateway = await startGateway();
    const plausibleValues: Record<string, unknown> = {
      // Any other id would have to be one of an earlier answer.
      conversation_id: "none",
      messages: [{ role: "user", content: "hello" }],
      model: "kimi",
      stream: false,
      think: true,
      thinking: { type: "enabled", keep: "all" },
      reasoning_effort: "low",
      modalities: ["text"],
      tools: [{ type: "function", function: { name: "f" } }],
      functions: [{ name: "f" }],
      format: "",
      citations: "footer",
    };
    const valuesByType: Record<ParameterType, unknown> = {
      any: {},
      array: [{}],
      boolean: true,
      "boolean or object": {},
      "boolean or string": true,
      integer: 1,
      number: 0.5,
      object: {},
      string: "x",
      "string or array": ["x"],
      "string or number": "5m",
      "string or object": "x",
    };
    for (const [name, parameter] of Object.entries<ClientParameter>(clientParameters)) {
      const value = plausibleValues[name] ?? valuesByType[parameter.type];
      const response = await postChat(gateway, { ...chatBody("hello"), [name]: value });
      const refusal = response.ok ? "" : await response.text();
      // Kimi cannot be held to a grammar or to a choice of answers.
      const isRefused = "isRequired" in parameter && JSON.stringify(value).length > "{}".length;
      expect([name, response.status, isRefused ? "" : refusal]).toEqual([name, isRefused ? 400 : 200, ""]);
    }
  });

  test("a body that is too large is a 413, and one that is not a JSON object a 400", async () => {
    const gateway = await startGateway();
    const tooLarge = await postChat(gateway, chatBody("x".repeat(65 * 1_048_576)));
    expect(tooLarge.status).toBe(413);
    expect(await tooLarge.json()).toMatchObject({ error: { code: "request_too_large" } });
    const truncated = await postChat(gateway, '{"messages": [{"role": "user", "content": "CANARY');
    expect(truncated.status).toBe(400);
    expect(await truncated.text()).not.toContain("CANARY");
    expect((await postChat(gateway, "")).status).toBe(400);
    expect((await postChat(gateway, "null")).status).toBe(400);
    expect((await postChat(gateway, "[1]")).status).toBe(400);
    expect(
      (await postChat(gateway, '{"__proto__": {"x": 1}, "messages": [{"role":"user","content":"x"}]}'))
        .status,
    ).toBe(400);
  });

  test("a body of 32 MB, a byte order mark and any content type are accepted", async () => {
    const gateway = await startGateway({ simulator: { script: () => [{ do: "text", content: "ok" }] } });
    const metadata = { large: "x".repeat(32 * 1_048_576) };
    expect((await postChat(gateway, chatBody("x", { metadata }))).status).toBe(200);
    expect((await postChat(gateway, `\ufeff${JSON.stringify(chatBody("x"))}`)).status).toBe(200);
    for (const type of [
      "text/plain",
      "application/json; charset=utf-8",
      "application/x-www-form-urlencoded",
    ]) {
      const headers = { authorization: `Bearer ${apiKey}`, "content-type": type };
      expect((await postChat(gateway, chatBody("x"), { headers })).status).toBe(200);
    }
  });

  test("the whole transcript is sent to Kimi as one message with the roles marked", async () => {
    const gateway = await startGateway();
    const toolCall = { id: "c1", type: "function", function: { name: "add", arguments: '{"a":1}' } };
    await postChat(gateway, {
      model: "kimi",
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "One " },
            { type: "text", text: "two" },
          ],
        },
        { role: "assistant", content: "Three", tool_calls: [toolCall] },
        { role: "tool", tool_call_id: "c1", name: "add", content: "4" },
        { role: "user", content: "Five" },
      ],
    });
    const sentBody = gateway.simulator.calls.find(({ path }) => path.endsWith("/Chat"))?.body;
    expect(sentBody).toMatchObject({
      message: {
        blocks: [
          {
            text: {
              content:
                'system: Be brief.\n\nuser: One two\n\nassistant: Three [called add({"a":1})]\n\ntool add: 4\n\nuser: Five',
            },
          },
        ],
      },
    });
  });
});

describe("model name suffixes", () => {
  test.each([
    ["moonshot-v1", { thinking: false, effort: "NONE", search: true, model: "k2d6-chat" }],
    ["kimi-thinking", { thinking: true, effort: "LOW", search: true, model: "k2d6-chat" }],
    ["kimi-nosearch", { thinking: false, effort: "NONE", search: false, model: "k2d6-chat" }],
    ["kimi-thinking-nosearch-silent", { thinking: true, effort: "LOW", search: false, model: "k2d6-chat" }],
    ["k2d6-chat-vision", { thinking: false, effort: "NONE", search: true, model: "k2d6-chat" }],
    ["k3-agent", { thinking: true, effort: "LOW", search: true, model: "k3-agent" }],
    ["k3-agent-thinking", { thinking: true, effort: "HIGH", search: true, model: "k3-agent" }],
    ["gpt-4o-mini", { thinking: false, effort: "NONE", search: true, model: "k2d6-chat" }],
  ])("%s sets thinking, effort, search and model", async (model, expected) => {
    const gateway = await startGateway({ routes: { "gpt-4o-mini": ["me"] } });
    const response = await postChat(gateway, chatBody("hello", { model }));
    expect(response.status).toBe(200);
    const sentBody = gateway.simulator.calls.find(({ path }) => path.endsWith("/Chat"))?.body;
    expect(sentBody).toMatchObject({
      tools: expected.search ? [{ type: "TOOL_TYPE_SEARCH", search: {} }] : [],
      options: {
        thinking: expected.thinking,
        reasoning_effort: `REASONING_EFFORT_${expected.effort}`,
        model: expected.model,
      },
    });
  });

  test("parameters of the request override the model name", async () => {
    const gateway = await startGateway();
    await postChat(
      gateway,
      chatBody("hello", {
        model: "kimi-thinking-nosearch",
        thinking: { type: "disabled" },
        use_search: true,
      }),
    );
    expect(gateway.simulator.calls.find(({ path }) => path.endsWith("/Chat"))?.body).toMatchObject({
      tools: [{ type: "TOOL_TYPE_SEARCH" }],
      options: { thinking: false },
    });
  });

  test("the citation style comes from the request, the model name, the key or the config, in this order", async () => {
    const keys = [{ name: "off", key: "sk-CANARY-off", citations: "off" as const }];
    const gateway = await startGateway({ keys });
    const citationStyles = async (more: Record<string, unknown>, key = apiKey) => {
      const headers = { authorization: `Bearer ${key}` };
      const response = await postChat(gateway, chatBody("search for the weather", more), { headers });
      const { content, annotations } = JSON.parse(await response.text()).choices[0].message;
      expect(content).not.toMatch(/[\ue000-\uf8ff]/);
      return [/\[1\]\(https:/.test(content), /参考 \/ Sources/.test(content), annotations !== undefined];
    };
    expect(await citationStyles({})).toEqual([true, true, true]);
    expect(await citationStyles({ citations: "footer" })).toEqual([false, true, true]);
    expect(await citationStyles({ citations: "annotations" })).toEqual([false, false, true]);
    expect(await citationStyles({ model: "kimi-silent" })).toEqual([false, false, false]);
    expect(await citationStyles({}, "sk-CANARY-off")).toEqual([false, false, false]);
    expect(await citationStyles({ citations: "inline" }, "sk-CANARY-off")).toEqual([true, true, true]);
    expect((await postChat(gateway, chatBody("x", { citations: "loud" }))).status).toBe(400);
  });

  test("annotations of a stream are in the finish chunk, without content, and equal those of a plain answer", async () => {
    const gateway = await startGateway();
    const question = "search for the weather";
    const plainMessage = JSON.parse(await (await postChat(gateway, chatBody(question))).text()).choices[0]
      .message;
    const chunks = parseChunks(await (await postChat(gateway, chatBody(question, { stream: true }))).text());
    expect(contentOf(chunks)).toBe(plainMessage.content);
    expect(chunks.at(-1)?.choices[0]).toMatchObject({
      finish_reason: "stop",
      delta: { annotations: plainMessage.annotations },
    });
    expect(chunks.at(-1)?.choices[0]?.delta).not.toHaveProperty("content");
    for (const { url_citation } of plainMessage.annotations) {
      const citedText = plainMessage.content.slice(url_citation.start_index, url_citation.end_index);
      expect(citedText).toMatch(/^\p{L}.*\S$/u);
    }
  });

  test("a conversation continues natively after an answer with citations", async () => {
    const gateway = await startGateway();
    const question = { role: "user", content: "search for the weather" };
    const { content } = JSON.parse(
      await (await postChat(gateway, { model: "kimi", messages: [question] })).text(),
    ).choices[0].message;
    const history = [question, { role: "assistant", content }, { role: "user", content: "And tomorrow?" }];
    await postChat(gateway, { model: "kimi", messages: history });
    const { body } = gateway.simulator.calls.findLast(({ path }) => path.endsWith("/Chat")) ?? {};
    expect(body).toMatchObject({
      chat_id: expect.any(String),
      message: { blocks: [{ text: { content: "And tomorrow?" } }] },
    });
  });
});

test("responses conform to OpenAI's own schemas", async () => {
  const expectConforming = openAiSchemas("openai-schemas.json");
  const gateway = await startGateway();
  expectConforming("CreateChatCompletionResponse", await (await postChat(gateway, chatBody("hello"))).json());
  const stream = await postChat(
    gateway,
    chatBody("sim:think sim:search", { stream: true, stream_options: { include_usage: true } }),
  );
  for (const chunk of parseChunks(await stream.text()))
    expectConforming("CreateChatCompletionStreamResponse", chunk);
  const headers = { authorization: `Bearer ${apiKey}` };
  expectConforming("ListModelsResponse", await (await fetch(`${gateway.url}/v1/models`, { headers })).json());
  expectConforming("ErrorResponse", await (await postChat(gateway, {})).json());
});

type OpenApi = {
  paths: Record<string, { post?: { requestBody: { content: Record<string, { example?: unknown }> } } }>;
};

test("/openapi.json has every route and examples that work; /docs loads nothing from other origins", async () => {
  const gateway = await startGateway();
  const spec: OpenApi = JSON.parse(await (await fetch(`${gateway.url}/openapi.json`)).text());
  expect(Object.keys(spec.paths).sort()).toEqual([
    "/",
    ...["/api/chat", "/api/generate", "/api/ps", "/api/show", "/api/tags", "/api/version"],
    "/healthz",
    "/mcp",
    "/metrics",
    "/readyz",
    "/token",
    "/v1/accounts",
    ...[
      "accounts",
      "accounts/{id}",
      "accounts/{id}/check",
      "accounts/{id}/quota",
      "conversations",
      "conversations/{upstream}/{id}",
      "diagnostics",
      "drift",
      "events",
      "keys",
      "keys/{id}",
      "log",
      "login",
      "requests",
      "requests/{id}",
      "server",
      "sessions",
      "sessions/current",
      "support-bundle",
      "usage",
      "usage.csv",
      "usage/hours",
    ].map((path) => `/v1/admin/${path}`),
    "/v1/chat/completions",
    "/v1/files",
    "/v1/files/{id}",
    "/v1/files/{id}/content",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/models",
    "/v1/models/{id}",
    ...["/v1/responses", "/v1/responses/compact", "/v1/responses/{id}", "/v1/responses/{id}/input_items"],
  ]);
  const paths = [
    ...["/v1/chat/completions", "/v1/responses", "/v1/responses/compact"],
    ...["/v1/messages", "/v1/messages/count_tokens"],
    ...["/api/chat", "/api/generate", "/api/show"],
  ];
  for (const path of paths) {
    const { example } = spec.paths[path]?.post?.requestBody.content["application/json"] ?? {};
    const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    const body = JSON.stringify(example);
    expect([path, (await fetch(gateway.url + path, { method: "POST", headers, body })).status]).toEqual([
      path,
      200,
    ]);
  }
  const page = await (await fetch(`${gateway.url}/docs`)).text();
  expect(page).toMatch(/swagger-ui/);
  expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
});

test("a request with Expect: 100-continue gets 100 before its body is sent", async () => {
  const gateway = await startGateway();
  const status = await new Promise((resolve, reject) => {
    const request = httpRequest(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey}`, expect: "100-continue" },
    });
    request.on("continue", () => request.end(JSON.stringify(chatBody("hello"))));
    request.on("response", (response) => resolve(response.resume().statusCode));
    request.on("error", reject);
    request.flushHeaders();
  });
  expect(status).toBe(200);
});
