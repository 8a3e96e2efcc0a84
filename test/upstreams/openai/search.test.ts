import { describe, expect, test } from "vitest";
import { cachedToo, chunk, delta, done, used, whole } from "../../fixtures/moonshot.js";
import { asking, chunksOf, post, textOf, until } from "../../gateway.js";
import { cutStream, gatewayTo, json, startPlatform, stream } from "./platform.js";

const builtin = { type: "builtin_function", function: { name: "$web_search" } };
const found = '{"search_result":{"search_id":"b3"},"usage":{"total_tokens":13046}}';

/** The model asks for a search, its arguments in two pieces (moonshot-platform.md D.5). */
function searches(id: number, said = ""): string[] {
  const call = {
    ...builtin,
    index: 0,
    id: `$web_search:${id}`,
    function: { name: "$web_search", arguments: "" },
  };
  return [
    delta({ role: "assistant", content: said }),
    delta({ tool_calls: [call] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: found.slice(0, 10) } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: found.slice(10) } }] }),
    delta({}, "tool_calls", { usage: used }),
    done,
  ];
}

const answer = [
  delta({ role: "assistant", content: "" }),
  delta({ content: "Here is" }),
  delta({ content: " the news." }),
  delta({}, "stop"),
  chunk([], { usage: cachedToo }),
  done,
];

function ask(more: Record<string, unknown> = {}) {
  return { ...asking("CANARY news?"), model: "kimi-k2.6", use_search: true, ...more };
}

describe("a search that Moonshot makes is hidden in the answer", () => {
  test.each([true, false])("streamed: %s", async (streams) => {
    const platform = await startPlatform();
    const gateway = await gatewayTo(platform);
    platform.will(stream(...searches(0, "One moment. ")), stream(...searches(1)), stream(...answer));
    const more = { stream: streams, stream_options: { include_usage: true } };
    const body = await (await post(gateway, ask(more))).text();

    expect(body).not.toMatch(/web_search|tool_calls|search_id/);
    const total = { prompt_tokens: 57, completion_tokens: 39, total_tokens: 96, cached_tokens: 7 };
    if (streams) {
      const chunks = chunksOf(body);
      expect(textOf(chunks)).toBe("One moment. Here is the news.");
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
      messages: ask().messages,
      tools: [builtin],
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
          { ...builtin, id: `$web_search:${id}`, function: { name: "$web_search", arguments: found } },
        ],
      },
      { role: "tool", tool_call_id: `$web_search:${id}`, name: "$web_search", content: found },
    ];
    expect(second?.messages).toEqual([...ask().messages, ...turn(0, { content: "One moment. " })]);
    expect(third).toEqual({
      ...first,
      messages: [...ask().messages, ...turn(0, { content: "One moment. " }), ...turn(1, {})],
    });
  });

  test("in every spelling that asks for one, and in none that only permits it", async () => {
    const platform = await startPlatform();
    const gateway = await gatewayTo(platform);
    const own = { type: "function", function: { name: "f", parameters: { type: "object" }, strict: false } };
    const spellings: Record<string, unknown>[] = [
      { use_search: true },
      { use_search: undefined, web_search_options: {} },
      { use_search: undefined, tools: [builtin] },
      { use_search: undefined, tools: [{ type: "web_search" }] },
      { use_search: undefined, model: "kimi-k2.6-search" },
      { tools: [own], tool_choice: "none" },
    ];
    for (const spelling of spellings) {
      platform.will(stream(...answer));
      await post(gateway, ask(spelling));
      const body = platform.calls.at(-1)?.body;
      expect([spelling, body?.tools, body?.tool_choice]).toEqual([spelling, [builtin], undefined]);
    }
    platform.will(stream(...answer));
    await post(gateway, ask({ tools: [own] }));
    expect(platform.calls.at(-1)?.body.tools).toEqual([own, builtin]);

    platform.will(json(200, whole));
    for (const silent of [
      { use_search: undefined },
      { use_search: false },
      { model: "kimi-k2.6-nosearch", use_search: undefined },
    ]) {
      await post(gateway, ask(silent));
      expect(platform.calls.at(-1)?.body).not.toHaveProperty("tools");
    }
    await post(gateway, { ...ask(), messages: [{ role: "user", content: "### Task:\nGenerate a title" }] });
    expect(platform.calls.at(-1)?.body).not.toHaveProperty("tools");
  });

  test("a model that always thinks goes on thinking; one that can stop says what it could not", async () => {
    const platform = await startPlatform();
    const gateway = await gatewayTo(platform);
    const headers: (string | null)[] = [];
    for (const model of ["kimi-k3", "kimi-k2.6"]) {
      platform.will(stream(...answer));
      headers.push(
        (await post(gateway, ask({ model, reasoning_effort: "low" }))).headers.get("x-moonbridge-ignored"),
      );
    }
    expect(platform.calls[0]?.body).toMatchObject({ reasoning_effort: "low" });
    expect(platform.calls[1]?.body).toMatchObject({ thinking: { type: "disabled" } });
    expect(headers).toEqual([null, "reasoning_effort"]);
  });
});

test("a model that never stops searching has to answer in the end, and if it does not, that is an error", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  platform.will(stream(...searches(0)));
  const refused = await post(gateway, ask({ stream: true }));
  expect(refused.status).toBe(502);
  expect(await refused.json()).toMatchObject({ error: { code: "upstream_protocol" } });
  expect(platform.calls.map(({ body }) => "tools" in body)).toEqual([true, true, true, true, true, false]);

  platform.calls.length = 0;
  platform.will(...Array.from({ length: 5 }, () => stream(...searches(0))), stream(...answer));
  expect(textOf(chunksOf(await (await post(gateway, ask({ stream: true }))).text()))).toBe(
    "Here is the news.",
  );
});

test("calls of the client's functions come first: the client gets these alone, and is told of the search", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  const search = {
    ...builtin,
    index: 0,
    id: "$web_search:0",
    function: { name: "$web_search", arguments: found },
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
  platform.will(stream(...mixed));
  const tools = ["f", "g"].map((name) => ({ type: "function", function: { name } }));
  const told = await (await post(gateway, ask({ tools }))).json();
  expect(told).toMatchObject({
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
  const chunks = chunksOf(await (await post(gateway, ask({ tools, stream: true }))).text());
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

test("a failure after a search is one of the whole answer, and a client that leaves ends the loop", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform);
  platform.will(stream(...searches(0, "One moment.")), cutStream(...answer.slice(0, 2)));
  const chunks = chunksOf(await (await post(gateway, ask({ stream: true }))).text());
  expect(chunks.at(-1)?.error).toMatchObject({ code: "upstream_cut" });

  platform.calls.length = 0;
  platform.will(stream(...searches(0)), () => {});
  const client = new AbortController();
  const left = post(gateway, ask(), { signal: client.signal });
  left.catch(() => {});
  await until(() => platform.calls.length === 2);
  client.abort();
  await until(() => platform.calls[1]?.left === true);
});

test("a service without rules gets the builtin function as the client sent it", async () => {
  const platform = await startPlatform();
  const gateway = await gatewayTo(platform, { preset: "generic" });
  platform.will(stream(...searches(0)));
  const body = await (
    await post(gateway, ask({ use_search: undefined, tools: [builtin], stream: true }))
  ).text();
  expect(body).toBe(searches(0).join(""));
});
