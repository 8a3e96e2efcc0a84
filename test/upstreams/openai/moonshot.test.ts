import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { JsonObject } from "../../../src/lib/json.js";
import { whole } from "../../fixtures/moonshot.js";
import { asking, post } from "../../gateway.js";
import { gatewayTo, json, startPlatform } from "./platform.js";

type Sent = { body: JsonObject; ignored: string[]; status: number; answer: unknown };

/** What of this request the platform gets, and what Moonbridge says of the rest. */
async function sent(body: Record<string, unknown>, config = {}, files = {}): Promise<Sent> {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform, config, { server: { unknownParameters: "ignore" }, files });
  platform.will(json(200, whole));
  const answer = await post(gateway, { ...asking("hi"), ...body });
  const names = answer.headers.get("x-moonbridge-ignored");
  return {
    body: platform.calls[0]?.body ?? {},
    ignored: names?.split(", ") ?? [],
    status: answer.status,
    answer: await answer.json(),
  };
}

const plain = { messages: asking("hi").messages, stream: false };

/** What SDKs and UIs send besides: everything that a thinking Kimi refuses or does not know. */
const everything = {
  ...{ temperature: 0.3, top_p: 0.5, top_k: 5, min_p: 0.1, presence_penalty: 1, frequency_penalty: 1 },
  ...{ repetition_penalty: 1.1, logit_bias: { 1: 1 }, seed: 1, logprobs: true, top_logprobs: 2 },
  ...{ user: "u", parallel_tool_calls: false, service_tier: "flex", store: true, metadata: { a: "b" } },
};

describe.each(["kimi-k3", "kimi-k2.7-code", "kimi-k2.6"])("%s", (model) => {
  test("gets what it knows, and what it does not is named", async () => {
    const kept = {
      stop: ["x"],
      prompt_cache_key: "sess-42",
      safety_identifier: "s",
      prediction: { type: "content", content: "x" },
    };
    const { body, ignored } = await sent({ model, ...everything, ...kept, max_tokens: 100, guided_moon: 1 });
    expect(body).toEqual({ ...plain, ...kept, model, max_completion_tokens: 100, guided_moon: 1 });
    expect(ignored.sort()).toEqual(Object.keys(everything).sort());
  });

  test("is not asked for what it does anyway, and nothing is said of that", async () => {
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
    const { body, ignored } = await sent({ model, ...neutral, ...more, citations: "off" });
    expect({ body, ignored }).toEqual({ body: { ...plain, model }, ignored: [] });
  });

  test("max_completion_tokens wins over max_tokens", async () => {
    const { body } = await sent({ model, max_tokens: 1, max_completion_tokens: 2 });
    expect(body).toEqual({ ...plain, model, max_completion_tokens: 2 });
  });
});

describe("thinking, in each model's own way", () => {
  const enabled = { thinking: { type: "enabled" } };
  const disabled = { thinking: { type: "disabled" } };
  type Row = [model: string, asked: object, sent: object, ignored?: string[]];
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
  test.each(rows)("%s %j → %j %j", async (model, asked, became, expected = []) => {
    const { body, ignored } = await sent({ model, ...asked });
    expect(body).toEqual({ ...plain, model: model.replace(/-thinking$/, ""), ...became });
    expect(ignored).toEqual(expected);
  });

  test("is off for the chores of UIs, where it can be", async () => {
    const chore = { messages: [{ role: "user", content: "### Task:\nGenerate a concise title" }] };
    expect((await sent({ ...chore, model: "kimi-k2.6" })).body).toMatchObject(disabled);
    expect((await sent({ ...chore, model: "kimi-k3" })).body).toMatchObject({ reasoning_effort: "low" });
    expect((await sent({ ...chore, model: "kimi-k2.7-code" })).body).not.toHaveProperty("thinking");
  });
});

test("the older models keep their sampling, within their scale", async () => {
  const { body, ignored } = await sent({ model: "moonshot-v1-8k", temperature: 1.5, top_p: 0.5, seed: 1 });
  expect(body).toEqual({ ...plain, model: "moonshot-v1-8k", temperature: 1, top_p: 0.5, seed: 1 });
  expect(ignored).toEqual(["temperature"]);
});

describe("messages", () => {
  const call = { id: "f:0", type: "function", function: { name: "f", arguments: "{}" } };
  const result = { role: "tool", tool_call_id: "f:0", content: "1" };

  async function became(messages: object[], model = "kimi-k2.6", more = {}) {
    return (await sent({ model, messages, ...more })).body.messages;
  }

  test("developer is system, and k3's own tools in one stay", async () => {
    const dynamic = { role: "system", tools: [{ type: "function", function: { name: "f" } }] };
    expect(await became([{ role: "developer", content: "x" }, dynamic], "kimi-k3")).toEqual([
      { role: "system", content: "x" },
      dynamic,
    ]);
  });

  test("reasoning goes back as it came, under either name, and empty where a call lost it", async () => {
    const turns = [
      { role: "assistant", reasoning_content: "r 1\n", content: "a" },
      { role: "assistant", reasoning: "r 2", tool_calls: [call], content: "b" },
      { role: "assistant", tool_calls: [call], content: null },
      { role: "assistant", content: "c" },
    ];
    expect(await became(turns)).toEqual([
      { role: "assistant", reasoning_content: "r 1\n", content: "a" },
      { role: "assistant", tool_calls: [call], content: "b", reasoning_content: "r 2" },
      { role: "assistant", tool_calls: [call], reasoning_content: "" },
      { role: "assistant", content: "c" },
    ]);
  });

  test("without thinking no reasoning is made up", async () => {
    const turns = [{ role: "assistant", tool_calls: [call] }, result];
    expect(await became(turns, "kimi-k2.6", { reasoning_effort: "none" })).toEqual(turns);
    expect(await became(turns, "moonshot-v1-8k")).toEqual(turns);
  });

  test("blank content is left out beside calls, and blank parts everywhere", async () => {
    const blank = { type: "text", text: " " };
    const said = { type: "text", text: "x", cache_control: { type: "ephemeral" } };
    const turns = [
      { role: "user", content: [blank, said] },
      { role: "assistant", reasoning_content: "r", tool_calls: [call], content: [blank] },
      { role: "assistant", reasoning_content: "r", tool_calls: [call], content: "\n" },
    ];
    const { content: _, ...silent } = turns[1] ?? {};
    expect(await became(turns)).toEqual([{ role: "user", content: [said] }, silent, silent]);
  });

  test("the original's own shape is understood before it is passed on", async () => {
    const messages = [{ role: "user", content: [{ role: "user", content: "天空" }] }];
    expect((await sent({ model: "kimi-k2.6", messages })).body.messages).toEqual(asking("天空").messages);
  });

  const picture = (url: string) => ({
    role: "user",
    content: [{ type: "image_url", image_url: { url, detail: "low" } }],
  });

  test("linked pictures are fetched here and go inside the request", async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "image/png" }).end("CANARY picture");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address: AddressInfo | string | null = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/a.png`;
    const asked = { model: "kimi-k2.6", messages: [picture(url)] };
    const { body } = await sent(asked, {}, { allowPrivateLinks: true });
    const data = `data:image/png;base64,${Buffer.from("CANARY picture").toString("base64")}`;
    expect(body.messages).toEqual([picture(data)]);
  });

  test("pictures as data URLs and by the platform's id pass; forbidden links and files are refused by their place", async () => {
    for (const url of ["data:image/png;base64,AAAA", "ms://file_01JX"]) {
      expect(await became([picture(url)])).toEqual([picture(url)]);
    }
    const linked = await sent({ model: "kimi-k2.6", messages: [picture("http://127.0.0.1/a.png")] });
    expect(linked.answer).toMatchObject({
      error: {
        code: "link_forbidden",
        param: "messages[0].content[0].image_url",
        message: expect.stringMatching(/private network/),
      },
    });
    const file = { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } };
    const refused = await sent({ model: "kimi-k2.6", messages: [{ role: "user", content: [file] }] });
    expect(refused.answer).toMatchObject({
      error: { code: "invalid_request", param: "messages[0].content[0]" },
    });
  });
});

describe("tools", () => {
  const parameters = { type: "object", properties: { a: { type: "string" } } };
  const tool = (more: object) => ({ type: "function", function: { name: "f", ...more } });

  test("are strict only where the client says so", async () => {
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
    const { body } = await sent({
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
    const strict = await sent({ model: "kimi-k2.6", response_format: format(true) });
    expect(strict.body.response_format).toEqual(format(true));
  });

  test.each(["required", { type: "function", function: { name: "f" } }])(
    "a forced call that thinking forbids is asked for once more, unforced: %j",
    async (choice) => {
      const platform = await startPlatform();
      const gateway = await gatewayTo(platform);
      const kind = typeof choice === "string" ? choice : "specified";
      const message = `tool_choice '${kind}' is incompatible with thinking enabled`;
      platform.will(json(400, { error: { message, type: "invalid_request_error" } }), json(200, whole));
      const ask = { ...asking("hi"), model: "kimi-k3", tools: [tool({ parameters })], tool_choice: choice };
      const answer = await post(gateway, ask);
      expect(platform.calls.map(({ body }) => body.tool_choice)).toEqual([choice, "auto"]);
      expect(await answer.json()).toEqual({
        ...whole,
        moonbridge_notices: [expect.objectContaining({ code: "tool_choice_auto" })],
      });

      platform.calls.length = 0;
      platform.will(json(400, { error: { message, type: "invalid_request_error" } }));
      expect((await post(gateway, { ...ask, stream: true })).status).toBe(400);
      expect(platform.calls.length).toBe(2);
    },
  );
});

test("a service without rules gets the request as it is", async () => {
  const body = {
    ...everything,
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
  const { body: got, ignored } = await sent(
    { ...body, conversation_id: "c", use_search: true },
    { preset: "generic" },
  );
  expect(got).toEqual({ ...body, stream: false });
  expect(ignored).toEqual(["conversation_id", "use_search"]);
});
