import { describe, expect, test } from "vitest";
import { sideRequests } from "../../chat/side-request-prompts.js";
import { chunk, delta, done, nonStreamedAnswer, usage, usageWithCache } from "../../fixtures/moonshot.js";
import { chatBody, contentOf, parseChunks, postChat, waitUntil } from "../../gateway.js";
import { cutStream, gatewayTo, json, startPlatform, stream } from "./scripted-platform.js";

const searchTool = { type: "builtin_function", function: { name: "$web_search" } };
const searchArguments = '{"search_result":{"search_id":"b3"},"usage":{"total_tokens":13046}}';

/** A stream with a call of the search, its arguments in two parts (moonshot-platform.md D.5). */
function searchCallStream(id: number, content = ""): string[] {
  const call = {
    ...searchTool,
    index: 0,
    id: `$web_search:${id}`,
    function: { name: "$web_search", arguments: "" },
  };
  return [
    delta({ role: "assistant", content }),
    delta({ tool_calls: [call] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: searchArguments.slice(0, 10) } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: searchArguments.slice(10) } }] }),
    delta({}, "tool_calls", { usage }),
    done,
  ];
}

const answerStream = [
  delta({ role: "assistant", content: "" }),
  delta({ content: "Here is" }),
  delta({ content: " the news." }),
  delta({}, "stop"),
  chunk([], { usage: usageWithCache }),
  done,
];

function searchRequest(more: Record<string, unknown> = {}) {
  return { ...chatBody("CANARY news?"), model: "kimi-k2.6", use_search: true, ...more };
}

describe("a search by Moonshot", () => {
  test.each([true, false])("is hidden in the answer (stream: %s)", async (streams) => {
    const platform = await startPlatform();
    const gateway = await gatewayTo(platform);
    platform.respondWith(
      stream(...searchCallStream(0, "One moment. ")),
      stream(...searchCallStream(1)),
      stream(...answerStream),
    );
    const more = { stream: streams, stream_options: { include_usage: true } };
    const body = await (await postChat(gateway, searchRequest(more))).text();

    expect(body).not.toMatch(/web_search|tool_calls|search_id/);
    const total = { prompt_tokens: 57, completion_tokens: 39, total_tokens: 96, cached_tokens: 7 };
    if (streams) {
      const chunks = parseChunks(body);
      expect(contentOf(chunks)).toBe("One moment. Here is the news.");
      expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
      expect(chunks.filter(({ choices }) => choices[0]?.delta.role).length).toBe(1);
      expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
      expect(chunks.at(-1)?.usage).toMatchObject(total);
    } else {
      expect(JSON.parse(body)).toMatchObject({
        choices: [{ message: { content: "One moment. Here is the news." }, finish_reason: "stop" }],
        usage: total,
      });
    }

    const [first, second, third] = platform.calls.map((call) => call.body);
    expect(first).toEqual({
      model: "kimi-k2.6",
      messages: searchRequest().messages,
      tools: [searchTool],
      thinking: { type: "disabled" },
      stream: true,
      stream_options: { include_usage: true },
    });
    const turn = (id: number, content: object) => [
      {
        role: "assistant",
        ...content,
        reasoning_content: "",
        tool_calls: [
          {
            ...searchTool,
            id: `$web_search:${id}`,
            function: { name: "$web_search", arguments: searchArguments },
          },
        ],
      },
      { role: "tool", tool_call_id: `$web_search:${id}`, name: "$web_search", content: searchArguments },
    ];
    expect(second?.messages).toEqual([...searchRequest().messages, ...turn(0, { content: "One moment. " })]);
    expect(third).toEqual({
      ...first,
      messages: [...searchRequest().messages, ...turn(0, { content: "One moment. " }), ...turn(1, {})],
    });
  });

  test("is requested by every parameter that asks for one, and by none that only permits it", async () => {
    const platform = await startPlatform();
    const gateway = await gatewayTo(platform);
    const own = { type: "function", function: { name: "f", parameters: { type: "object" }, strict: false } };
    const spellings: Record<string, unknown>[] = [
      { use_search: true },
      { use_search: undefined, web_search_options: {} },
      { use_search: undefined, tools: [searchTool] },
      { use_search: undefined, tools: [{ type: "web_search" }] },
      { use_search: undefined, model: "kimi-k2.6-search" },
      { tools: [own], tool_choice: "none" },
    ];
    for (const spelling of spellings) {
      platform.respondWith(stream(...answerStream));
      await postChat(gateway, searchRequest(spelling));
      const body = platform.calls.at(-1)?.body;
      expect([spelling, body?.tools, body?.tool_choice]).toEqual([spelling, [searchTool], undefined]);
    }
    platform.respondWith(stream(...answerStream));
    await postChat(gateway, searchRequest({ tools: [own] }));
    expect(platform.calls.at(-1)?.body.tools).toEqual([own, searchTool]);

    platform.respondWith(json(200, nonStreamedAnswer));
    for (const silent of [
      { use_search: undefined },
      { use_search: false },
      { model: "kimi-k2.6-nosearch", use_search: undefined },
    ]) {
      await postChat(gateway, searchRequest(silent));
      expect(platform.calls.at(-1)?.body).not.toHaveProperty("tools");
    }
    // What asks for a search is no side request, whatever it says.
    await postChat(gateway, { ...searchRequest(), messages: sideRequests["Open WebUI: title"] });
    expect(platform.calls.at(-1)?.body).toHaveProperty("tools");
  });

  test("keeps thinking in a model that always thinks; a model that can stop reports it as ignored", async () => {
    const platform = await startPlatform();
    const gateway = await gatewayTo(platform);
    const headers: (string | null)[] = [];
    for (const model of ["kimi-k3", "kimi-k2.6"]) {
      platform.respondWith(stream(...answerStream));
      headers.push(
        (await postChat(gateway, searchRequest({ model, reasoning_effort: "low" }))).headers.get(
          "x-moonbridge-ignored",
        ),
      );
    }
    expect(platform.calls[0]?.body).toMatchObject({ reasoning_effort: "low" });
    expect(platform.calls[1]?.body).toMatchObject({ thinking: { type: "disabled" } });
    expect(headers).toEqual([null, "reasoning_effort"]);
  });
});

test("withholds the search tool after the last round, and throws if the model still searches", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  platform.respondWith(stream(...searchCallStream(0)));
  const refused = await postChat(gateway, searchRequest({ stream: true }));
  expect(refused.status).toBe(502);
  expect(await refused.json()).toMatchObject({ error: { code: "upstream_protocol" } });
  expect(platform.calls.map(({ body }) => "tools" in body)).toEqual([true, true, true, true, true, false]);

  platform.calls.length = 0;
  platform.respondWith(
    ...Array.from({ length: 5 }, () => stream(...searchCallStream(0))),
    stream(...answerStream),
  );
  expect(
    contentOf(parseChunks(await (await postChat(gateway, searchRequest({ stream: true }))).text())),
  ).toBe("Here is the news.");
});

test("returns only the calls of the client's functions if they are mixed with a search, with a notice", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  const search = {
    ...searchTool,
    index: 0,
    id: "$web_search:0",
    function: { name: "$web_search", arguments: searchArguments },
  };
  const own = (index: number, name: string) => ({
    index,
    id: `${name}:1`,
    type: "function",
    function: { name, arguments: "{}" },
  });
  const mixed = [
    delta({ role: "assistant", content: "" }),
    delta({ tool_calls: [search] }),
    delta({ tool_calls: [own(1, "f")] }),
    delta({ tool_calls: [own(2, "g")] }),
    delta({}, "tool_calls"),
    done,
  ];
  platform.respondWith(stream(...mixed));
  const tools = ["f", "g"].map((name) => ({ type: "function", function: { name } }));
  const result = await (await postChat(gateway, searchRequest({ tools }))).json();
  expect(result).toMatchObject({
    choices: [
      {
        finish_reason: "tool_calls",
        message: {
          content: null,
          tool_calls: [
            { id: "f:1", type: "function", function: { name: "f", arguments: "{}" } },
            { id: "g:1", type: "function", function: { name: "g", arguments: "{}" } },
          ],
        },
      },
    ],
    moonbridge_notices: [{ code: "search_postponed" }],
  });
  const chunks = parseChunks(await (await postChat(gateway, searchRequest({ tools, stream: true }))).text());
  const calls = chunks.flatMap(({ choices }) => Object(choices[0]?.delta).tool_calls ?? []);
  expect(calls.map(({ index, id }) => [index, id])).toEqual([
    [0, "f:1"],
    [0, undefined],
    [1, "g:1"],
    [1, undefined],
  ]);
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("tool_calls");
  expect(platform.calls.length).toBe(2);
});

test("fails the whole answer if a later round fails, and ends the loop when the client disconnects", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  platform.respondWith(stream(...searchCallStream(0, "One moment.")), cutStream(...answerStream.slice(0, 2)));
  const chunks = parseChunks(await (await postChat(gateway, searchRequest({ stream: true }))).text());
  expect(chunks.at(-1)?.error).toMatchObject({ code: "upstream_cut" });

  platform.calls.length = 0;
  platform.respondWith(stream(...searchCallStream(0)), () => {});
  const client = new AbortController();
  const aborted = postChat(gateway, searchRequest(), { signal: client.signal });
  aborted.catch(() => {});
  await waitUntil(() => platform.calls.length === 2);
  client.abort();
  await waitUntil(() => platform.calls[1]?.closedEarly === true);
});

test("sends the builtin function unchanged to a service without rules", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform, { preset: "generic" });
  platform.respondWith(stream(...searchCallStream(0)));
  const body = await (
    await postChat(gateway, searchRequest({ use_search: undefined, tools: [searchTool], stream: true }))
  ).text();
  expect(body).toBe(searchCallStream(0).join(""));
});
