import { describe, expect, onTestFinished, test } from "vitest";
import { GatewayError } from "../../../src/core/errors.js";
import type { ChatEvent, FetchPicture, Message, Model, UpstreamRequest } from "../../../src/core/types.js";
import { OpenAiUpstream } from "../../../src/upstreams/openai/upstream.js";
import {
  helloStream,
  nonStreamedAnswer,
  twoCallsStream,
  usage,
  usageWithCache,
} from "../../fixtures/moonshot.js";
import { json, type Platform, platformKey, startPlatform, stream } from "./scripted-platform.js";

const model: Model = {
  id: "kimi-k2.6",
  name: "K2.6",
  owner: "moonshot",
  contextLength: undefined,
  inputs: ["text", "image"],
  thinking: ["off", "low"],
  agent: false,
  conversationScope: "kimi-k2.6",
  isDefault: true,
};

const text = (value: string) => ({ type: "text" as const, text: value });
const user: Message = { role: "user", content: [text("hi")] };

/** A request from another dialect than chat completions, without a client's original body. */
function upstreamRequest(more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return { model, messages: [user], search: false, thinking: undefined, stream: true, ...more };
}

type UpstreamSettings = { preset?: "moonshot" | "generic"; fetchPicture?: FetchPicture };

function openUpstream(platform: Platform, { preset = "moonshot" }: UpstreamSettings = {}): OpenAiUpstream {
  const options = { name: "platform", baseUrl: platform.url, apiKey: platformKey, preset };
  const upstream = new OpenAiUpstream(options);
  onTestFinished(() => upstream.close());
  return upstream;
}

async function collectEvents(upstream: OpenAiUpstream, request: UpstreamRequest): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  const sink = (batch: readonly ChatEvent[]): undefined => void events.push(...batch);
  await upstream.chat(request, sink, new AbortController().signal);
  return events;
}

/** The body that the service receives for this request. */
async function sentBody(more: Partial<UpstreamRequest>, settings: UpstreamSettings = {}) {
  const platform = await startPlatform();
  platform.respondWith(stream(...helloStream));
  const upstream = openUpstream(platform, settings);
  const { fetchPicture = async () => ({ mediaType: "", base64: "" }) } = settings;
  const request = await upstream.prepare(upstreamRequest(more), fetchPicture, new AbortController().signal);
  await collectEvents(upstream, request);
  return platform.calls[0]?.body;
}

describe("a request from another dialect", () => {
  const call = { id: "f:0", name: "f", arguments: "{}" };
  const tools = [
    { name: "f", description: "does", parameters: { type: "object" } },
    { name: "g", parameters: { type: "object" }, strict: true },
  ];
  const requestFields: Partial<UpstreamRequest> = {
    messages: [
      { role: "system", content: [text("Be "), text("brief.")] },
      {
        role: "user",
        name: "ann",
        content: [
          text("look"),
          {
            type: "image",
            source: { kind: "bytes", base64: "AAAA" },
            mediaType: "image/webp",
            path: "messages[1].content[1]",
          },
        ],
      },
      { role: "assistant", content: [], reasoning: "hm", toolCalls: [call] },
      { role: "tool", content: [text("1")], toolCallId: "f:0", name: "f" },
      { role: "assistant", content: [text("done")] },
      user,
    ],
    tools,
    toolChoice: { name: "f" },
    sampling: { temperature: 0.5, top_p: 0.9 },
    limits: { maxTokens: 100, stop: ["x"] },
    thinking: "max",
  };
  const messages = [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      name: "ann",
      content: [
        { type: "text", text: "look" },
        { type: "image_url", image_url: { url: "data:image/webp;base64,AAAA" } },
      ],
    },
    {
      role: "assistant",
      reasoning_content: "hm",
      content: null,
      tool_calls: [{ id: "f:0", type: "function", function: { name: "f", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "f:0", content: "1" },
    { role: "assistant", content: "done" },
    { role: "user", content: "hi" },
  ];

  test("is built for a service without rules", async () => {
    expect(await sentBody(requestFields, { preset: "generic" })).toEqual({
      model: "kimi-k2.6",
      messages,
      tools: [
        { type: "function", function: tools[0] },
        { type: "function", function: tools[1] },
      ],
      tool_choice: { type: "function", function: { name: "f" } },
      temperature: 0.5,
      top_p: 0.9,
      max_completion_tokens: 100,
      stop: ["x"],
      reasoning_effort: "high",
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test("is built for Moonshot by its rules", async () => {
    const { content: _, ...calling } = messages[2] ?? {};
    const body = await sentBody({ ...requestFields, toolChoice: "auto", thinking: "low" });
    expect(body).toMatchObject({
      tool_choice: "auto",
      thinking: { type: "enabled" },
      max_completion_tokens: 100,
    });
    expect(body?.messages).toEqual(messages.with(2, calling as (typeof messages)[number]));
    expect(body?.tools).toMatchObject([{ function: { strict: false } }, { function: { strict: true } }]);
    expect(body).not.toHaveProperty("temperature");
  });

  test("is always streamed, since only the events are needed", async () => {
    const platform = await startPlatform();
    platform.respondWith(stream(...helloStream));
    expect(await collectEvents(openUpstream(platform), upstreamRequest({ stream: false }))).toEqual([
      { type: "reasoning", text: "Greeting 问候" },
      { type: "text", text: "Hello, 月亮 🌙!" },
      { type: "usage", usage: { input: 19, output: 13, reasoning: 0, cached: 7, estimated: false } },
      { type: "finish", reason: "stop" },
    ]);
    expect(platform.calls[0]?.body.stream).toBe(true);
  });

  test("gets tool calls in parts, also from engines that do not number them", async () => {
    const platform = await startPlatform();
    const calls = [
      { type: "tool-call", index: 0, id: "get_weather:0", name: "get_weather", arguments: "" },
      { type: "tool-call", index: 0, arguments: '{"city":' },
      { type: "tool-call", index: 0, arguments: '"Paris"}' },
      { type: "tool-call", index: 1, id: "get_weather:1", name: "get_weather", arguments: '{"city":"Oslo"}' },
    ];
    const unnumbered = twoCallsStream.map((line) => line.replace(/"index":\d,("id"|"function")/g, "$1"));
    const stopped = twoCallsStream.map((line) =>
      line.replace('"finish_reason":"tool_calls"', '"finish_reason":"stop"'),
    );
    for (const lines of [twoCallsStream, unnumbered, stopped]) {
      platform.respondWith(stream(...lines));
      const events = await collectEvents(openUpstream(platform), upstreamRequest());
      expect(events.filter(({ type }) => type === "tool-call")).toEqual(calls);
      expect(events.at(-1)).toEqual({ type: "finish", reason: "tool-calls" });
    }
  });

  test("is rejected with the path of a file that cannot be sent", async () => {
    const file = {
      type: "file" as const,
      source: { kind: "link" as const, url: "https://a.example/a.pdf" },
      path: "input[0]",
    };
    for (const preset of ["generic", "moonshot"] as const) {
      const refused = sentBody({ messages: [{ role: "user", content: [file] }] }, { preset });
      await expect(refused).rejects.toMatchObject({ code: "invalid_request", param: "input[0]" });
    }
  });
});

describe("a whole answer to a request without streaming", () => {
  const original = {
    dialect: "openai-chat" as const,
    body: { messages: [{ role: "user", content: "hi" }] },
    engineOptions: [],
  };

  test("is emitted verbatim and as events", async () => {
    const platform = await startPlatform();
    platform.respondWith(json(200, nonStreamedAnswer));
    const events = await collectEvents(
      openUpstream(platform),
      upstreamRequest({ originalRequest: original, stream: false }),
    );
    expect(events).toEqual([
      { type: "verbatim", dialect: "openai-chat", json: JSON.stringify(nonStreamedAnswer), usageOnly: false },
      { type: "reasoning", text: "Simple sum." },
      { type: "text", text: "2" },
      {
        type: "usage",
        usage: {
          input: usage.prompt_tokens,
          output: usage.completion_tokens,
          reasoning: 0,
          cached: usageWithCache.cached_tokens,
          estimated: false,
        },
      },
      { type: "finish", reason: "stop" },
    ]);
  });
});

describe("linked images", () => {
  const picture = {
    type: "image" as const,
    source: { kind: "link" as const, url: "https://a.example/a.png" },
    path: "messages[0].content[0]",
  };
  const messages: Message[] = [{ role: "user", content: [picture, text("what?")] }];

  test("are inlined for Moonshot and left to other services", async () => {
    const inline: FetchPicture = async (url) => ({
      mediaType: "image/png",
      base64: Buffer.from(url).toString("base64"),
    });
    const image = (url: string) => [
      { role: "user", content: [{ type: "image_url", image_url: { url } }, text("what?")] },
    ];
    const data = `data:image/png;base64,${Buffer.from("https://a.example/a.png").toString("base64")}`;
    expect((await sentBody({ messages }, { fetchPicture: inline }))?.messages).toEqual(image(data));
    expect((await sentBody({ messages }, { fetchPicture: inline, preset: "generic" }))?.messages).toEqual(
      image("https://a.example/a.png"),
    );
  });

  test("that are forbidden are rejected with their path", async () => {
    const inline: FetchPicture = async () => {
      throw new GatewayError("link_forbidden", "This address is not on the public web.");
    };
    await expect(sentBody({ messages }, { fetchPicture: inline })).rejects.toMatchObject({
      code: "link_forbidden",
      param: "messages[0].content[0]",
      message: "messages[0].content[0]: This address is not on the public web.",
    });
  });
});
