import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { describe, expect, test } from "vitest";
import type { Step } from "../../../simulator/index.js";
import { Dialogue, listKimiChats, sentTurns } from "../../conversations/dialogue.js";
import {
  apiKey,
  chatBody,
  contentOf,
  type Gateway,
  type KimiKind,
  parseChunks,
  postChat,
  startGateway,
  waitUntil,
} from "../../gateway.js";

const schema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: {
    name: { type: "string" },
    kind: { enum: ["cat", "dog"] },
    age: { type: ["integer", "null"] },
    friends: { type: "array", items: { $ref: "#/$defs/friend" } },
  },
  required: ["name", "kind", "age", "friends"],
  additionalProperties: false,
  $defs: {
    friend: {
      type: "object",
      properties: { name: { type: "string" }, friends: { type: "array", items: { $ref: "#/$defs/friend" } } },
      required: ["name", "friends"],
      additionalProperties: false,
    },
  },
};
const animal = {
  response_format: { type: "json_schema", json_schema: { name: "animal", schema, strict: true } },
};
const anyJson = { response_format: { type: "json_object" } };
const valid = '{"name":"Tom","kind":"cat","age":null,"friends":[]}';

type Asked = {
  status: number;
  content: string;
  finish: string | null;
  error?: unknown;
  ignored: string | null;
};

/** Asks with fetch, so that nothing is parsed or sent again by a client. */
async function ask(
  gateway: Gateway,
  prompt: string,
  { stream, ...fields }: { stream: boolean } & Record<string, unknown>,
): Promise<Asked> {
  const response = await postChat(gateway, chatBody(prompt, { ...fields, stream }));
  const ignored = response.headers.get("x-moonbridge-ignored");
  const { status } = response;
  if (!stream || status !== 200) {
    const { choices, error } = Object(await response.json());
    const [choice] = choices ?? [];
    return {
      status,
      content: choice?.message.content ?? "",
      finish: choice?.finish_reason ?? null,
      error,
      ignored,
    };
  }
  const chunks = parseChunks(await response.text());
  const finish = chunks.find(({ choices }) => choices?.[0]?.finish_reason)?.choices[0]?.finish_reason ?? null;
  const { error } = chunks.find((chunk) => chunk.error) ?? {};
  return { status, content: contentOf(chunks.filter(({ choices }) => choices)), finish, error, ignored };
}

const say = (...content: string[]): Step[] => [{ do: "text", content }];

/** Faults of the model, and how many messages it takes. */
const faults: [fault: string, messages: number][] = [
  ["none", 1],
  ["prose-around", 1],
  ["fence", 1],
  ["trailing-comma", 1],
  ["raw-newline", 1],
  ["smart-quotes", 1],
  ["single-quotes", 1],
  ["python-literals", 1],
  ["no-brackets", 1],
  ["extra-bracket", 1],
  ["double", 1],
  ["only-prose", 2],
  ["refuse-format", 2],
  ["half-call", 2],
];
const faultsOfSchemas: typeof faults = [
  ["number-strings", 1],
  ["nested-strings", 1],
  ["json-string", 1],
  ["wrong-type", 2],
  ["missing-key", 2],
  ["extra-key", 2],
  ["several", 2],
];

describe.each<KimiKind>(["kimi-web", "kimi-legacy"])("a format on %s", (kind) => {
  test.each([
    ["a schema", animal, [...faults, ...faultsOfSchemas]],
    ["any JSON", anyJson, faults],
  ])("of %s is kept, whatever the model does at first", async (_, fields, rows) => {
    const gateway = await startGateway({ kind });
    const keys = fields === animal ? ["age", "friends", "kind", "name"] : ["answer"];
    for (const [fault, messages] of rows)
      for (const stream of [true, false]) {
        const before = gateway.simulator.counts().chats;
        const directive = fault === "none" ? "" : ` sim:json-fault=${fault}`;
        const answer = await ask(gateway, `Tell me of ${stream}.${directive}`, { stream, ...fields });
        // A stream of any JSON has left already where it turns out to be broken.
        if (stream && fields === anyJson && fault === "half-call") {
          expect(answer).toMatchObject({ finish: null, error: { code: "upstream_protocol" } });
          continue;
        }
        expect(answer, fault).toMatchObject({ status: 200, finish: "stop", ignored: null });
        expect(Object.keys(JSON.parse(answer.content)).toSorted(), fault).toEqual(keys);
        expect(gateway.simulator.counts().chats - before, fault).toBe(messages);
      }
  });

  test.each([
    ["a schema", animal],
    ["any JSON", anyJson],
  ])("%s: a model that answers prose twice is a 502, and an error event in a stream", async (_, fields) => {
    const gateway = await startGateway({ kind });
    for (const stream of [true, false]) {
      const before = gateway.simulator.counts().chats;
      const answer = await ask(gateway, `Tell me. ${stream} sim:json-fault=only-prose,9`, {
        stream,
        ...fields,
      });
      expect(answer).toMatchObject({
        // Nothing had left of the stream either.
        status: 502,
        content: "",
        finish: null,
        error: {
          code: "upstream_protocol",
          param: "response_format",
          message: expect.stringMatching(
            /^response_format: the model's answer is not of this format: it has no JSON\./,
          ),
        },
      });
      expect(gateway.simulator.counts().chats - before).toBe(2);
    }
  });

  test("after reasoning, a stream of prose ends with an error event", async () => {
    const gateway = await startGateway({ kind });
    const prompt = "Tell me. sim:think sim:json-fault=wrong-type,9";
    const answer = await ask(gateway, prompt, { stream: true, ...animal });
    expect(answer).toMatchObject({
      status: kind === "kimi-web" ? 200 : 502,
      content: "",
      finish: null,
      error: { code: "upstream_protocol", message: expect.stringContaining("name: must be string") },
    });
    expect(gateway.simulator.counts().chats).toBe(2);
  });

  test("the correction quotes the first finding, and the prompt ends with the schema", async () => {
    const prompts: string[] = [];
    const gateway = await startGateway({
      kind,
      simulator: {
        script: ({ text }) => {
          prompts.push(text);
          return say(prompts.length === 1 ? valid.replace("null", '"old"') : valid);
        },
      },
    });
    expect((await ask(gateway, "Tell me.", { stream: false, ...animal })).content).toBe(valid);
    const { $schema: _, ...told } = schema;
    for (const prompt of prompts) expect(prompt.split("\n").at(-1)).toBe(JSON.stringify(told));
    expect(prompts[0]).toMatch(/^Tell me\.\n\nA program /);
    expect(prompts[1]).toMatch(
      /^Tell me\.\n\n\(The program .*"age":"old".* – age: must be integer,null\.\)\n\nA program /,
    );
  });

  test("every division of an answer into deltas gives the same", async () => {
    const answer = `So:\n\`\`\`json\n${valid}\n\`\`\``;
    let content: string[] = [];
    const script = () => say(...content);
    const gateway = await startGateway({ kind, simulator: { script } });
    for (const fields of [animal, anyJson])
      for (let size = 1; size < answer.length; size += 7) {
        content = answer.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
        const asked = await ask(gateway, `${size}`, { stream: true, ...fields });
        expect(asked).toMatchObject({ content: valid, finish: "stop" });
      }
  });

  test("an answer that breaks off stays an error of the connection", async () => {
    const halfWay = [...say('{"name":"Tom",', '"kind":')];
    const endings: Step[] = [{ do: "cut" }, { do: "cut-in-frame" }, { do: "no-trailer" }];
    for (const ending of endings) {
      const script = () => [...halfWay, ending];
      const gateway = await startGateway({ kind, simulator: { script } });
      for (const fields of [animal, anyJson]) {
        const streamed = await ask(gateway, "a", { stream: true, ...fields });
        expect(streamed).toMatchObject({ finish: null, error: { code: "upstream_cut" } });
        const whole = await ask(gateway, "b", { stream: false, ...fields });
        expect(whole).toMatchObject({ status: 502, error: { code: "upstream_cut" } });
      }
      expect(gateway.simulator.counts().chats).toBe(4);
    }
  });

  test("an answer that was cut at max_tokens has the JSON so far, and one stopped at a text ends in front of it", async () => {
    const list = JSON.stringify(Array.from({ length: 100 }, (_, index) => `item ${index}`));
    const script = () => say(...`Here:\n{"list":${list}}`.split(/(?<=,)/));
    const gateway = await startGateway({ kind, simulator: { script } });
    for (const stream of [true, false])
      for (const fields of [
        anyJson,
        { response_format: { type: "json_schema", json_schema: { schema: { type: "object" } } } },
      ]) {
        const cut = await ask(gateway, "a", { stream, max_tokens: 40, ...fields });
        expect(cut).toMatchObject({ finish: "length", ignored: null });
        expect(cut.content).toMatch(/^\{"list":\["item 0","item 1",/);
        expect(cut.content.length).toBeLessThan(300);
        const stopped = await ask(gateway, "a", { stream, stop: ["item 2", "Here"], ...fields });
        expect(stopped).toMatchObject({ finish: "stop", content: '{"list":["item 0","item 1","' });
      }
  });

  test("ten at once each get their own", async () => {
    const gateway = await startGateway({ kind, concurrency: 10, simulator: { legacyConcurrency: 10 } });
    const asked = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        ask(gateway, `number ${index}${index % 2 ? " sim:json-fault=only-prose" : ""}`, {
          stream: index % 3 === 0,
          ...(index % 4 ? animal : anyJson),
        }),
      ),
    );
    asked.forEach(({ content }, index) => {
      const { name, answer } = JSON.parse(content);
      expect(name ?? answer).toBe(`(Simulated) number ${index}`);
    });
  });
});

describe("a conversation of formatted answers", () => {
  test.each<[fault: string, chats: number]>([
    ["", 1],
    ["sim:json-fault=fence", 1],
    ["sim:json-fault=trailing-comma", 1],
    // What the chat has is not what the client was given.
    ["sim:json-fault=prose-around", 2],
    // The first answer is in a chat of its own, which holds the mistake.
    ["sim:json-fault=wrong-type", 2],
  ])("goes on after the bare JSON: %s", async (fault, chats) => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    const first = await dialogue.send(`Tell me. ${fault}`, animal);
    expect(JSON.parse(first)).toHaveProperty("name");
    await dialogue.send("And now?", animal);
    await dialogue.send("And in words? sim:recall");
    expect(await listKimiChats(gateway.simulator)).toHaveLength(chats);
    const [last] = sentTurns(gateway).slice(-1);
    expect(last?.chatId).toBeDefined();
  });

  test("a corrected turn stays in its chat, which does not hold the mistake on the way on", async () => {
    const gateway = await startGateway();
    const dialogue = new Dialogue(gateway);
    await dialogue.send("Hello");
    await dialogue.send("Tell me. sim:json-fault=wrong-type", animal);
    await dialogue.send("Go on");
    const turns = sentTurns(gateway);
    expect(new Set(turns.slice(1).map(({ chatId }) => chatId)).size).toBe(1);
    expect(turns).toHaveLength(4);
    // The correction and the next turn are siblings of the mistake.
    expect(new Set(turns.slice(1).map(({ parentId }) => parentId)).size).toBe(1);
    expect(turns[3]?.text).toContain("Tell me.");
    expect(turns[3]?.text).not.toContain("could not read");
  });

  test.each<[KimiKind, object]>([
    ["kimi-web", { status: 200, finish: "stop" }],
    // Its chats go on at their end only, and the request has no history to begin anew with.
    ["kimi-legacy", { status: 502, error: { code: "upstream_protocol", param: "response_format" } }],
  ])(
    "that only the request's id names is corrected where its chat allows that: %s",
    async (kind, expected) => {
      const gateway = await startGateway({ kind });
      const { conversation_id } = Object(await (await postChat(gateway, chatBody("Hello"))).json());
      const fields = { stream: false, conversation_id, ...animal };
      expect(await ask(gateway, "Tell me. sim:json-fault=wrong-type", fields)).toMatchObject(expected);
    },
  );
});

describe("functions and a format", () => {
  const parameters = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
  const tools = [
    { type: "function", function: { name: "read_note", description: "Reads a note.", parameters } },
  ];
  const call = 'sim:call read_note {"path":"a"}';

  test.each<KimiKind>(["kimi-web", "kimi-legacy"])(
    "a turn of calls is held to no format, its answer is, on %s",
    async (kind) => {
      const gateway = await startGateway({ kind });
      for (const stream of [true, false]) {
        const messages: ChatCompletionMessageParam[] = [
          { role: "user", content: `Read. ${stream}\n${call}` },
        ];
        const { completions } = gateway.client.chat;
        const body = { model: "kimi", tools: tools as never, ...(animal as object) };
        const complete = async () =>
          stream
            ? (await completions.stream({ ...body, messages }).finalChatCompletion()).choices[0]
            : (await completions.create({ ...body, messages })).choices[0];
        const called = await complete();
        expect(called).toMatchObject({
          finish_reason: "tool_calls",
          message: {
            content: null,
            tool_calls: [{ function: { name: "read_note", arguments: '{"path":"a"}' } }],
          },
        });
        if (!called) return;
        const id = called.message.tool_calls?.[0]?.id ?? "";
        messages.push(called.message, { role: "tool", tool_call_id: id, content: "It was 42." });
        const answer = await complete();
        expect(answer?.finish_reason).toBe("stop");
        expect(Object.keys(JSON.parse(answer?.message.content ?? ""))).toEqual([
          "name",
          "kind",
          "age",
          "friends",
        ]);
      }
    },
  );

  test("words beside a call are left out, and prose without one is corrected", async () => {
    const gateway = await startGateway();
    for (const stream of [true, false]) {
      const beside = await ask(gateway, `sim:say=I look ${stream}.\n${call}`, { stream, tools, ...animal });
      expect(beside).toMatchObject({ content: "", finish: "tool_calls" });
      const prose = await ask(gateway, `Well ${stream}? sim:json-fault=only-prose`, {
        stream,
        tools,
        ...animal,
      });
      expect(JSON.parse(prose.content)).toHaveProperty("kind", "cat");
    }
  });
});

test.each(["inline", "footer", "annotations", "off"])(
  "of a search with citations %s nothing is in the JSON",
  async (citations) => {
    const gateway = await startGateway();
    for (const stream of [true, false]) {
      const fields = { stream, citations, ...animal, model: "kimi-search" };
      const asked = await ask(gateway, "search for Tom sim:search", fields);
      expect(JSON.parse(asked.content)).toHaveProperty("kind", "cat");
    }
    const response = await postChat(gateway, {
      ...chatBody("search for Tom sim:search", { citations, ...animal }),
      model: "kimi-search",
    });
    const { choices } = Object(await response.json());
    expect((choices[0].message.annotations ?? []).length > 0).toBe(citations !== "off");
  },
);

test("beside a conversation that is sent as a file, the prompt ends with the schema", async () => {
  const gateway = await startGateway();
  const long = `Tell me. ${"All of this was said. ".repeat(11_000)}`;
  const messages = ["user", "assistant", "user"].map((role, index) => ({
    role,
    content: index < 2 ? long : "And now?",
  }));
  const response = await postChat(gateway, { model: "kimi", messages, ...animal });
  const { choices, ...more } = Object(await response.json());
  expect(more).not.toHaveProperty("error");
  expect(JSON.parse(choices[0].message.content)).toHaveProperty("kind", "cat");
  const { $schema: _, ...told } = schema;
  const [sent] = sentTurns(gateway);
  expect(sent?.text.length).toBeLessThan(400_000);
  expect(sent?.text.endsWith(JSON.stringify(told))).toBe(true);
});

test("arrays of 500 are whole", async () => {
  const many = {
    type: "array",
    minItems: 500,
    maxItems: 500,
    items: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
  };
  const list = {
    response_format: {
      type: "json_schema",
      json_schema: {
        name: "list",
        schema: { type: "object", properties: { items: many }, required: ["items"] },
      },
    },
  };
  const gateway = await startGateway();
  for (const stream of [true, false]) {
    const { content } = await ask(gateway, `Many ${stream} sim:json-fault=fence`, { stream, ...list });
    expect(JSON.parse(content).items).toHaveLength(500);
  }
});

test.each([
  ["an unknown type", { type: "strng" }, /is invalid: type/],
  ["a wrong place", { properties: { a: { required: "b" } } }, /is invalid: properties\.a\.required/],
  ["a reference to nothing", { $ref: "#/$defs/none" }, /“#\/\$defs\/none” leads to no part/],
  ["a reference to another document", { items: { $ref: "https://example.org/a.json" } }, /leads to no part/],
])("a schema with %s is a 400 that names the field", async (_, invalid, message) => {
  const gateway = await startGateway();
  const field = "response_format.json_schema.schema";
  const response_format = { type: "json_schema", json_schema: { name: "n", schema: invalid } };
  expect(await ask(gateway, "Tell me.", { stream: false, response_format })).toMatchObject({
    status: 400,
    error: { code: "invalid_request", param: field, message: expect.stringMatching(message) },
  });
  const ollama = await fetch(`${gateway.url}/api/chat`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ ...chatBody("Tell me."), format: invalid }),
  });
  expect([ollama.status, JSON.stringify(await ollama.json())]).toEqual([
    400,
    expect.stringMatching(/format: the /),
  ]);
  expect(gateway.simulator.counts().chats).toBe(0);
});

test("prompts whose answers are of another format do not put the account in doubt", async () => {
  const gateway = await startGateway();
  for (let index = 0; index < 5; index++)
    await ask(gateway, `Tell me ${index}. sim:json-fault=only-prose,9`, { stream: false, ...animal });
  const metrics = await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${apiKey}` } });
  expect(await metrics.text()).toMatch(/^moonbridge_upstream_failing\{upstream="me"\} 0$/m);
});

test("a client that leaves while the answer is held stops it", async () => {
  const gateway = await startGateway();
  for (const stream of [true, false]) {
    const controller = new AbortController();
    const body = chatBody("Tell me. sim:slow=50 sim:repeat=1000", { stream, ...animal });
    const asked = postChat(gateway, body, { signal: controller.signal }).then((response) => response.text());
    const before = gateway.simulator.counts().chats;
    await waitUntil(() => gateway.simulator.counts().chats > before);
    controller.abort();
    await expect(asked).rejects.toThrow();
    await waitUntil(() => gateway.simulator.counts().openStreams === 0);
  }
});

test("messages without any text are refused, though the format is one", async () => {
  const gateway = await startGateway();
  const empty = await ask(gateway, "", { stream: false, ...animal });
  expect(empty).toMatchObject({ status: 400, error: { param: "messages" } });
});
