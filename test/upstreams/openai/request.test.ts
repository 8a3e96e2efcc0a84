import { describe, expect, onTestFinished, test } from "vitest";
import { GatewayError } from "../../../src/core/errors.js";
import type { ChatEvent, Message, Model, UpstreamRequest } from "../../../src/core/types.js";
import type { Inline } from "../../../src/upstreams/openai/inline-images.js";
import { OpenAiUpstream } from "../../../src/upstreams/openai/upstream.js";
import { cachedToo, hello, twoCalls, used, whole } from "../../fixtures/moonshot.js";
import { json, type Platform, platformKey, startPlatform, stream } from "./platform.js";

const model: Model = {
  id: "kimi-k2.6",
  name: "K2.6",
  owner: "moonshot",
  contextLength: undefined,
  inputs: ["text", "image"],
  thinking: ["off", "low"],
  agent: false,
  scope: "kimi-k2.6",
  isDefault: true,
};

const text = (value: string) => ({ type: "text" as const, text: value });
const user: Message = { role: "user", content: [text("hi")] };

/** A request as another dialect than chat completions makes it: without the client's own. */
function asking(more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return { model, messages: [user], search: false, thinking: undefined, stream: true, ...more };
}

type Setting = { preset?: "moonshot" | "generic"; inline?: Inline };

function open(platform: Platform, { preset = "moonshot", inline }: Setting = {}): OpenAiUpstream {
  const options = { name: "platform", baseUrl: platform.url, apiKey: platformKey, preset };
  const upstream = new OpenAiUpstream(options, inline ? { inline } : {});
  onTestFinished(() => upstream.close());
  return upstream;
}

async function eventsOf(upstream: OpenAiUpstream, request: UpstreamRequest): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  const hear = (lot: readonly ChatEvent[]): undefined => void events.push(...lot);
  await upstream.chat(request, hear, new AbortController().signal);
  return events;
}

/** The body that the service gets for this request. */
async function sent(more: Partial<UpstreamRequest>, setting: Setting = {}) {
  const platform = await startPlatform();
  platform.will(stream(...hello));
  await eventsOf(open(platform, setting), asking(more));
  return platform.calls[0]?.body;
}

describe("a request that another dialect made", () => {
  const call = { id: "f:0", name: "f", arguments: "{}" };
  const tools = [
    { name: "f", description: "does", parameters: { type: "object" } },
    { name: "g", parameters: { type: "object" }, strict: true },
  ];
  const whatever: Partial<UpstreamRequest> = {
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

  test("is made for a service without rules", async () => {
    expect(await sent(whatever, { preset: "generic" })).toEqual({
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

  test("and for Moonshot by its rules", async () => {
    const { content: _, ...calling } = messages[2] ?? {};
    const body = await sent({ ...whatever, toolChoice: "auto", thinking: "low" });
    expect(body).toMatchObject({
      tool_choice: "auto",
      thinking: { type: "enabled" },
      max_completion_tokens: 100,
    });
    expect(body?.messages).toEqual(messages.with(2, calling as (typeof messages)[number]));
    expect(body?.tools).toMatchObject([{ function: { strict: false } }, { function: { strict: true } }]);
    expect(body).not.toHaveProperty("temperature");
  });

  test("streams whatever its client does, since only the events are wanted", async () => {
    const platform = await startPlatform();
    platform.will(stream(...hello));
    expect(await eventsOf(open(platform), asking({ stream: false }))).toEqual([
      { type: "reasoning", text: "Greeting 问候" },
      { type: "text", text: "Hello, 月亮 🌙!" },
      { type: "usage", usage: { input: 19, output: 13, reasoning: 0, cached: 7, estimated: false } },
      { type: "finish", reason: "stop" },
    ]);
    expect(platform.calls[0]?.body.stream).toBe(true);
  });

  test("hears calls piece by piece, and those that an engine does not number", async () => {
    const platform = await startPlatform();
    const heard = [
      { type: "tool-call", index: 0, id: "get_weather:0", name: "get_weather", arguments: "" },
      { type: "tool-call", index: 0, arguments: '{"city":' },
      { type: "tool-call", index: 0, arguments: '"Paris"}' },
      { type: "tool-call", index: 1, id: "get_weather:1", name: "get_weather", arguments: '{"city":"Oslo"}' },
    ];
    const unnumbered = twoCalls.map((line) => line.replace(/"index":\d,("id"|"function")/g, "$1"));
    const stopped = twoCalls.map((line) =>
      line.replace('"finish_reason":"tool_calls"', '"finish_reason":"stop"'),
    );
    for (const lines of [twoCalls, unnumbered, stopped]) {
      platform.will(stream(...lines));
      const events = await eventsOf(open(platform), asking());
      expect(events.filter(({ type }) => type === "tool-call")).toEqual(heard);
      expect(events.at(-1)).toEqual({ type: "finish", reason: "tool-calls" });
    }
  });

  test("a file that has no address is refused by its place", async () => {
    const file = {
      type: "file" as const,
      source: { kind: "link" as const, url: "https://a.example/a.pdf" },
      at: "input[0]",
    };
    for (const preset of ["generic", "moonshot"] as const) {
      const refused = sent({ messages: [{ role: "user", content: [file] }] }, { preset });
      await expect(refused).rejects.toMatchObject({ code: "invalid_request", param: "input[0]" });
    }
  });
});

describe("a whole answer that the client wants whole", () => {
  const original = { dialect: "openai-chat" as const, body: { messages: [{ role: "user", content: "hi" }] } };

  test("is passed on beside what it says", async () => {
    const platform = await startPlatform();
    platform.will(json(200, whole));
    const events = await eventsOf(open(platform), asking({ originalRequest: original, stream: false }));
    expect(events).toEqual([
      { type: "verbatim", dialect: "openai-chat", json: JSON.stringify(whole), usageOnly: false },
      { type: "reasoning", text: "Simple sum." },
      { type: "text", text: "2" },
      {
        type: "usage",
        usage: {
          input: used.prompt_tokens,
          output: used.completion_tokens,
          reasoning: 0,
          cached: cachedToo.cached_tokens,
          estimated: false,
        },
      },
      { type: "finish", reason: "stop" },
    ]);
  });
});

describe("linked pictures", () => {
  const picture = {
    type: "image" as const,
    source: { kind: "link" as const, url: "https://a.example/a.png" },
    at: "messages[0].content[0]",
  };
  const messages: Message[] = [{ role: "user", content: [picture, text("what?")] }];

  test("are inlined for Moonshot by whoever fetches them safely, and left to other services", async () => {
    const inline: Inline = async (url) => `data:image/png;base64,${Buffer.from(url).toString("base64")}`;
    const image = (url: string) => [
      { role: "user", content: [{ type: "image_url", image_url: { url } }, text("what?")] },
    ];
    const data = await inline("https://a.example/a.png", new AbortController().signal);
    expect((await sent({ messages }, { inline }))?.messages).toEqual(image(data));
    expect((await sent({ messages }, { inline, preset: "generic" }))?.messages).toEqual(
      image("https://a.example/a.png"),
    );
  });

  test("that are forbidden name their place", async () => {
    const inline: Inline = async () => {
      throw new GatewayError("link_forbidden", "This address is not on the public web.");
    };
    await expect(sent({ messages }, { inline })).rejects.toMatchObject({
      code: "link_forbidden",
      param: "messages[0].content[0].image_url",
      message: "messages[0].content[0].image_url: This address is not on the public web.",
    });
  });
});
