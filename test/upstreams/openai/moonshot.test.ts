import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { JsonObject } from "../../../src/lib/json.js";
import { sideRequests } from "../../chat/side-request-prompts.js";
import { nonStreamedAnswer } from "../../fixtures/moonshot.js";
import { chatBody, postChat } from "../../gateway.js";
import { gatewayTo, json, startPlatform } from "./scripted-platform.js";

type SentRequest = { body: JsonObject; ignored: string[]; status: number; answer: unknown };

/** Sends a request. Returns the body that the platform received and the parameters reported as ignored. */
async function send(body: Record<string, unknown>, config = {}, files = {}): Promise<SentRequest> {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform, config, { server: { unknownParameters: "ignore" }, files });
  platform.respondWith(json(200, nonStreamedAnswer));
  const answer = await postChat(gateway, { ...chatBody("hi"), ...body });
  const names = answer.headers.get("x-moonbridge-ignored");
  return {
    body: platform.calls[0]?.body ?? {},
    ignored: names?.split(", ") ?? [],
    status: answer.status,
    answer: await answer.json(),
  };
}

const commonBody = { messages: chatBody("hi").messages, stream: false };

/** Parameters that SDKs and UIs send and that a thinking Kimi model refuses or does not know. */
const unsupportedParameters = {
  ...{ temperature: 0.3, top_p: 0.5, top_k: 5, min_p: 0.1, presence_penalty: 1, frequency_penalty: 1 },
  ...{ repetition_penalty: 1.1, logit_bias: { 1: 1 }, seed: 1, logprobs: true, top_logprobs: 2 },
  ...{ user: "u", parallel_tool_calls: false, service_tier: "flex", store: true, metadata: { a: "b" } },
};

describe.each(["kimi-k3", "kimi-k2.7-code", "kimi-k2.6"])("%s", (model) => {
  test("gets the parameters that it knows; the others are reported as ignored", async () => {
    const supported = {
      stop: ["x"],
      prompt_cache_key: "sess-42",
      safety_identifier: "s",
      prediction: { type: "content", content: "x" },
    };
    const { body, ignored } = await send({
      model,
      ...unsupportedParameters,
      ...supported,
      max_tokens: 100,
      guided_moon: 1,
    });
    expect(body).toEqual({ ...commonBody, ...supported, model, max_completion_tokens: 100, guided_moon: 1 });
    expect(ignored.sort()).toEqual(Object.keys(unsupportedParameters).sort());
  });

  test("does not get parameters with neutral values, which are not reported as ignored", async () => {
    const neutral = {
      temperature: 1,
      top_p: 1,
      n: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      logprobs: false,
    };
    const more = {
      parallel_tool_calls: true,
      store: false,
      modalities: ["text"],
      seed: null,
      max_tokens: null,
    };
    const { body, ignored } = await send({ model, ...neutral, ...more, citations: "off" });
    expect({ body, ignored }).toEqual({ body: { ...commonBody, model }, ignored: [] });
  });

  test("gets max_completion_tokens in preference to max_tokens", async () => {
    const { body } = await send({ model, max_tokens: 1, max_completion_tokens: 2 });
    expect(body).toEqual({ ...commonBody, model, max_completion_tokens: 2 });
  });
});

describe("thinking", () => {
  const enabled = { thinking: { type: "enabled" } };
  const disabled = { thinking: { type: "disabled" } };
  type Row = [model: string, requested: object, sent: object, ignored?: string[]];
  const rows: Row[] = [
    ["kimi-k3", {}, {}],
    ["kimi-k3", { reasoning_effort: "minimal" }, { reasoning_effort: "low" }],
    ["kimi-k3", { reasoning_effort: "low" }, { reasoning_effort: "low" }],
    ["kimi-k3", { reasoning_effort: "medium" }, { reasoning_effort: "high" }],
    ["kimi-k3", { reasoning_effort: "xhigh" }, { reasoning_effort: "max" }],
    ["kimi-k3", { thinking: { type: "enabled", effort: "low" } }, { reasoning_effort: "low" }],
    ["kimi-k3", { enable_thinking: true }, { reasoning_effort: "high" }],
    ["kimi-k3", { thinking: { type: "disabled" } }, { reasoning_effort: "low" }, ["thinking"]],
    ["kimi-k3-thinking", {}, { reasoning_effort: "high" }],
    ["kimi-k2.7-code", {}, {}],
    ["kimi-k2.7-code", { reasoning_effort: "max" }, {}],
    ["kimi-k2.7-code", { thinking: { type: "enabled", keep: "all" } }, {}],
    ["kimi-k2.7-code", { reasoning_effort: "none" }, {}, ["reasoning_effort"]],
    ["kimi-k2.6", {}, {}],
    ["kimi-k2.6", { reasoning_effort: "low" }, enabled],
    ["kimi-k2.6", { reasoning_effort: "none" }, disabled],
    ["kimi-k2.6", { chat_template_kwargs: { thinking: false } }, disabled],
    [
      "kimi-k2.6",
      { thinking: { type: "enabled", keep: "all" } },
      { thinking: { type: "enabled", keep: "all" } },
    ],
    ["kimi-k2.6-thinking", {}, enabled],
    ["moonshot-v1-8k", { reasoning_effort: "high" }, {}, ["reasoning_effort"]],
  ];
  test.each(rows)("of %s: %j becomes %j %j", async (model, requested, converted, expected = []) => {
    const { body, ignored } = await send({ model, ...requested });
    expect(body).toEqual({ ...commonBody, model: model.replace(/-thinking$/, ""), ...converted });
    expect(ignored).toEqual(expected);
  });

  test("is off for side requests of UIs if the model can turn it off", async () => {
    const sideRequest = { messages: sideRequests["Open WebUI: title"] };
    expect((await send({ ...sideRequest, model: "kimi-k2.6" })).body).toMatchObject(disabled);
    expect((await send({ ...sideRequest, model: "kimi-k3" })).body).toMatchObject({
      reasoning_effort: "low",
    });
    expect((await send({ ...sideRequest, model: "kimi-k2.7-code" })).body).not.toHaveProperty("thinking");
  });
});

test("parameters of engines and of clients go no further, wherever they stand", async () => {
  const { body, ignored } = await send({
    model: "kimi-k2.6",
    mirostat: 2,
    options: { num_ctx: 8_192, num_predict: 100, min_tokens: 5 },
    extra_body: { guided_json: {}, top_a: 0, enable_thinking: true },
    keep_alive: "5m",
    thinking_budget: 2_048,
    web_search: false,
  });
  expect(body).toEqual({
    ...commonBody,
    model: "kimi-k2.6",
    max_completion_tokens: 100,
    thinking: { type: "enabled" },
  });
  expect(ignored.sort()).toEqual(["keep_alive", "min_tokens", "mirostat", "num_ctx"]);
});

test("older models keep their sampling parameters, limited to their scale", async () => {
  const { body, ignored } = await send({ model: "moonshot-v1-8k", temperature: 1.5, top_p: 0.5, seed: 1 });
  expect(body).toEqual({ ...commonBody, model: "moonshot-v1-8k", temperature: 1, top_p: 0.5, seed: 1 });
  expect(ignored).toEqual(["temperature"]);
});

describe("messages", () => {
  const call = { id: "f:0", type: "function", function: { name: "f", arguments: "{}" } };
  const result = { role: "tool", tool_call_id: "f:0", content: "1" };

  async function converted(messages: object[], model = "kimi-k2.6", more = {}) {
    return (await send({ model, messages, ...more })).body.messages;
  }

  test("developer becomes system, and a system message with k3's dynamic tools is kept", async () => {
    const dynamic = { role: "system", tools: [{ type: "function", function: { name: "f" } }] };
    expect(await converted([{ role: "developer", content: "x" }, dynamic], "kimi-k3")).toEqual([
      { role: "system", content: "x" },
      dynamic,
    ]);
  });

  test("reasoning is sent back unchanged, under either name, and empty for calls without it", async () => {
    const turns = [
      { role: "assistant", reasoning_content: "r 1\n", content: "a" },
      { role: "assistant", reasoning: "r 2", tool_calls: [call], content: "b" },
      { role: "assistant", tool_calls: [call], content: null },
      { role: "assistant", content: "c" },
    ];
    expect(await converted(turns)).toEqual([
      { role: "assistant", reasoning_content: "r 1\n", content: "a" },
      { role: "assistant", tool_calls: [call], content: "b", reasoning_content: "r 2" },
      { role: "assistant", tool_calls: [call], reasoning_content: "" },
      { role: "assistant", content: "c" },
    ]);
  });

  test("no reasoning is added without thinking", async () => {
    const turns = [{ role: "assistant", tool_calls: [call] }, result];
    expect(await converted(turns, "kimi-k2.6", { reasoning_effort: "none" })).toEqual(turns);
    expect(await converted(turns, "moonshot-v1-8k")).toEqual(turns);
  });

  test("blank content is dropped beside calls, and blank parts everywhere", async () => {
    const blank = { type: "text", text: " " };
    const textPart = { type: "text", text: "x", cache_control: { type: "ephemeral" } };
    const turns = [
      { role: "user", content: [blank, textPart] },
      { role: "assistant", reasoning_content: "r", tool_calls: [call], content: [blank] },
      { role: "assistant", reasoning_content: "r", tool_calls: [call], content: "\n" },
    ];
    const { content: _, ...silent } = turns[1] ?? {};
    expect(await converted(turns)).toEqual([{ role: "user", content: [textPart] }, silent, silent]);
  });

  test("messages in the original project's shape are normalised", async () => {
    const messages = [{ role: "user", content: [{ role: "user", content: "天空" }] }];
    expect((await send({ model: "kimi-k2.6", messages })).body.messages).toEqual(chatBody("天空").messages);
  });

  const picture = (url: string) => ({
    role: "user",
    content: [{ type: "image_url", image_url: { url, detail: "low" } }],
  });

  test("linked images are fetched and inlined", async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "image/png" }).end("CANARY picture");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address: AddressInfo | string | null = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/a.png`;
    const request = { model: "kimi-k2.6", messages: [picture(url)] };
    const { body } = await send(request, {}, { allowPrivateLinks: true });
    const data = `data:image/png;base64,${Buffer.from("CANARY picture").toString("base64")}`;
    expect(body.messages).toEqual([picture(data)]);
  });

  test("images as data URLs and by the platform's id pass; forbidden links and files are rejected with their path", async () => {
    for (const url of ["data:image/png;base64,AAAA", "ms://file_01JX"]) {
      expect(await converted([picture(url)])).toEqual([picture(url)]);
    }
    const linked = await send({ model: "kimi-k2.6", messages: [picture("http://127.0.0.1/a.png")] });
    expect(linked.answer).toMatchObject({
      error: {
        code: "link_forbidden",
        param: "messages[0].content[0].image_url",
        message: expect.stringMatching(/private network/),
      },
    });
    const file = { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } };
    const refused = await send({ model: "kimi-k2.6", messages: [{ role: "user", content: [file] }] });
    expect(refused.answer).toMatchObject({
      error: { code: "invalid_request", param: "messages[0].content[0]" },
    });
  });
});

describe("tools", () => {
  const parameters = { type: "object", properties: { a: { type: "string" } } };
  const tool = (more: object) => ({ type: "function", function: { name: "f", ...more } });

  test("are strict only if the client says so", async () => {
    const tools = [
      tool({ parameters }),
      tool({ parameters, strict: true }),
      tool({ parameters, strict: null }),
      tool({}),
    ];
    const format = (strict?: boolean) => ({
      type: "json_schema",
      json_schema: { name: "n", schema: parameters, ...(strict ? { strict } : {}) },
    });
    const { body } = await send({
      model: "kimi-k2.6",
      tools,
      response_format: format(),
      tool_choice: "auto",
    });
    expect(body).toMatchObject({
      tools: [
        tool({ parameters, strict: false }),
        tool({ parameters, strict: true }),
        tool({ parameters, strict: false }),
        tool({ parameters: { type: "object", properties: {} }, strict: false }),
      ],
      response_format: { json_schema: { strict: false } },
      tool_choice: "auto",
    });
    const strict = await send({ model: "kimi-k2.6", response_format: format(true) });
    expect(strict.body.response_format).toEqual(format(true));
  });

  describe.each(["required", { type: "function", function: { name: "f" } }])(
    "if thinking forbids the forced call %j",
    (choice) => {
      const kind = typeof choice === "string" ? choice : "specified";
      const message = `tool_choice '${kind}' is incompatible with thinking enabled`;
      const refusal = json(400, { error: { message, type: "invalid_request_error" } });
      const ask = { ...chatBody("hi"), tools: [tool({ parameters })], tool_choice: choice };

      test("repeat it without thinking if the model can", async () => {
        const platform = await startPlatform();
        const gateway = await gatewayTo(platform);
        platform.respondWith(refusal, json(200, nonStreamedAnswer));
        const answer = await postChat(gateway, { ...ask, model: "kimi-k2.6" });
        expect(platform.calls.map(({ body }) => [body.tool_choice, body.thinking])).toEqual([
          [choice, undefined],
          [choice, { type: "disabled" }],
        ]);
        expect(await answer.json()).toEqual({
          ...nonStreamedAnswer,
          moonbridge_notices: [expect.objectContaining({ code: "thinking_off" })],
        });
      });

      test.each([{ model: "kimi-k2.7-code" }, { model: "kimi-k2.6", reasoning_effort: "high" }])(
        "refuse it by name if the model cannot, or was asked to think: %j",
        async (fields) => {
          const platform = await startPlatform();
          const gateway = await gatewayTo(platform);
          platform.respondWith(refusal);
          for (const isStreamed of [true, false]) {
            const answer = await postChat(gateway, { ...ask, ...fields, stream: isStreamed });
            expect(answer.status).toBe(400);
            expect(await answer.json()).toMatchObject({
              error: { param: "tool_choice", message: expect.stringMatching(/while it thinks.*"auto"/) },
            });
          }
          expect(platform.calls.length).toBe(2);
        },
      );
    },
  );
});

test("a service without rules gets the request unchanged", async () => {
  const body = {
    ...unsupportedParameters,
    ...{ max_tokens: 5, tools: [{ type: "function", function: { name: "f" } }], tool_choice: "required" },
    ...{
      reasoning_effort: "medium",
      thinking: { type: "enabled" },
      chat_template_kwargs: { thinking: true },
    },
    ...{ guided_json: { type: "object" }, web_search_options: {}, response_format: { type: "json_object" } },
    messages: [
      { role: "developer", content: [{ type: "text", text: "" }] },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "f:0", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "user", content: [{ type: "image_url", image_url: { url: "https://a.example/a.png" } }] },
    ],
    model: "kimi-k2.6",
  };
  const { body: got, ignored } = await send(
    { ...body, conversation_id: "c", use_search: true },
    { preset: "generic" },
  );
  expect(got).toEqual({ ...body, stream: false });
  expect(ignored).toEqual(["conversation_id", "use_search"]);
});
