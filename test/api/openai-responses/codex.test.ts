import { describe, expect, test } from "vitest";
import { sentTurns } from "../../conversations/dialogue.js";
import { type Gateway, startGateway } from "../../gateway.js";
import { codexHeaders, codexRequest, type Item, inputText, user } from "./codex-requests.js";
import { post, streamEvents, textOfEvents, type WireEvent } from "./event-stream.js";

async function codexTurn(gateway: Gateway, input: readonly Item[], fields: Record<string, unknown> = {}) {
  const events = await streamEvents(gateway, codexRequest(input, fields), codexHeaders);
  return { events, items: itemsOf(events), text: textOfEvents(events) };
}

/** Codex takes the items from the events at their ends. */
function itemsOf(events: readonly WireEvent[]): Item[] {
  return events.flatMap(({ type, item }) => (type === "response.output_item.done" ? [Object(item)] : []));
}

function expectOneChat(gateway: Gateway): void {
  const [first, ...others] = sentTurns(gateway);
  expect(first?.chatId).toBeUndefined();
  expect(others.map(({ chatId }) => chatId)).toEqual(others.map(() => others[0]?.chatId ?? "no chat"));
}

describe("requests shaped like Codex's", () => {
  test("a loop of commands, a patch and another agent keeps one chat", async () => {
    const gateway = await startGateway();
    const history: Item[] = [user(inputText('Fix it.\nsim:call exec_command {"cmd":"ls"}'))];
    const command = await codexTurn(gateway, history);
    expect(command.items).toMatchObject([
      { type: "function_call", name: "exec_command", arguments: expect.stringContaining("ls") },
    ]);
    expect(command.items[0]).not.toHaveProperty("namespace");
    history.push(...command.items, {
      type: "function_call_output",
      call_id: command.items[0]?.call_id,
      output: 'a.txt\nsim:call apply_patch {"input":"*** Begin Patch\\n+x\\n*** End Patch"}',
    });
    const patch = await codexTurn(gateway, history);
    expect(patch.items).toMatchObject([
      { type: "custom_tool_call", name: "apply_patch", input: "*** Begin Patch\n+x\n*** End Patch" },
    ]);
    const types = patch.events.map(({ type }) => type);
    expect(types).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.custom_tool_call_input.delta",
      "response.custom_tool_call_input.done",
      "response.output_item.done",
      "response.completed",
    ]);
    history.push(...patch.items, {
      type: "custom_tool_call_output",
      call_id: patch.items[0]?.call_id,
      output: [inputText('Done.\nsim:call multi_agent_v1__spawn_agent {"task":"test it"}')],
    });
    const agent = await codexTurn(gateway, history);
    expect(agent.items).toMatchObject([
      { type: "function_call", name: "spawn_agent", namespace: "multi_agent_v1" },
    ]);
    history.push(...agent.items, {
      type: "function_call_output",
      call_id: agent.items[0]?.call_id,
      output: "The tests pass.",
    });
    const end = await codexTurn(gateway, history);
    expect(end.text).toContain("The tests pass.");
    history.push(...end.items, user(inputText("Thanks. sim:say=Welcome.")));
    expect((await codexTurn(gateway, history)).text).toBe("Welcome.");
    expect(sentTurns(gateway)).toHaveLength(5);
    expectOneChat(gateway);
  });

  test("reasoning comes sealed, and goes back unchanged in the same chat", async () => {
    const gateway = await startGateway();
    const first = user(inputText("Think. sim:think sim:say=Thought."));
    const { items } = await codexTurn(gateway, [first]);
    expect(items.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    expect(items[0]).toMatchObject({ encrypted_content: expect.stringMatching(/^mb1\./) });
    await codexTurn(gateway, [first, ...items, user(inputText("And now?"))]);
    expectOneChat(gateway);
  });

  test("a model that is offered a search of a cache does not search the live web", async () => {
    const gateway = await startGateway();
    const { items } = await codexTurn(gateway, [user(inputText("search for the moon"))]);
    expect(items.map(({ type }) => type)).toEqual(["message"]);
  });

  test("a live search is an item of its own, and citations point into their text", async () => {
    const gateway = await startGateway();
    const tools = [{ type: "web_search", external_web_access: true }];
    const { items, events } = await codexTurn(gateway, [user(inputText("search for the moon"))], { tools });
    expect(items.map(({ type }) => type)).toEqual(["message", "web_search_call", "message"]);
    expect(items[1]).toMatchObject({
      status: "completed",
      action: { type: "search", query: expect.stringContaining("search for the moon") },
    });
    const [part] = Object(items[2]).content;
    expect(part.annotations.length).toBeGreaterThanOrEqual(2);
    for (const { start_index, end_index } of part.annotations) {
      expect(end_index).toBeGreaterThan(start_index);
      expect(part.text.slice(start_index, end_index)).toMatch(/made up|Both of them/);
    }
    const added = events.filter(({ type }) => type === "response.output_text.annotation.added");
    expect(added.map(({ annotation }) => annotation)).toEqual(part.annotations);
    const history = [user(inputText("search for the moon")), ...items, user(inputText("Thanks."))];
    await codexTurn(gateway, history, { tools });
    expectOneChat(gateway);
  });

  test("a conversation goes on when a turn has unknown items, references and empty fields", async () => {
    const gateway = await startGateway();
    const { items } = await codexTurn(gateway, [user(inputText("Hello. sim:say=Hi."))]);
    const history = [
      user(inputText("Hello. sim:say=Hi.")),
      { type: "ghost_snapshot", ghost_commit: { id: "x" } },
      ...items,
      { type: "reasoning", summary: [], encrypted_content: "gAAAAABforeign" },
      user(inputText("Bye. sim:say=Bye.")),
    ];
    const { text } = await codexTurn(gateway, history, { text: {}, tools: null, service_tier: null });
    expect(text).toBe("Bye.");
    expectOneChat(gateway);
  });

  test.each([
    [
      "a dead account",
      { kind: "error", code: "permission_denied", reason: "REASON_ANONYMOUS_REQUIRE_LOGIN" },
    ],
    ["a throttle", { kind: "http", status: 429, retryAfter: 17 }],
  ] as const)(
    "%s ends the stream with a message that Codex shows, and no second request",
    async (_, fault) => {
      const gateway = await startGateway();
      gateway.simulator.fault(fault);
      const { events } = await codexTurn(gateway, [user(inputText("Hello"))]);
      expect(events.map(({ type }) => type)).toEqual([
        "response.created",
        "response.in_progress",
        "error",
        "response.failed",
      ]);
      expect(events[3]?.response).toMatchObject({
        status: "failed",
        error: { code: "invalid_prompt", message: expect.stringMatching(/^Kimi says/) },
      });
    },
  );

  test("an answer that reaches max_output_tokens is incomplete", async () => {
    const gateway = await startGateway();
    const { events } = await codexTurn(gateway, [user(inputText("sim:repeat=400"))], {
      tools: [],
      max_output_tokens: 20,
    });
    expect(events.at(-1)).toMatchObject({
      type: "response.incomplete",
      response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
    });
    expect(itemsOf(events)).toMatchObject([{ type: "message", status: "incomplete" }]);
  });

  test("a body packed with zstd is read", async () => {
    const gateway = await startGateway();
    // A zstd frame with one raw block.
    const json = Buffer.from(
      JSON.stringify(codexRequest([user(inputText("sim:say=Packed."))], { stream: false })),
    );
    const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x80, 0x58, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32LE(json.length, 6);
    header.writeUIntLE((json.length << 3) | 1, 10, 3);
    const response = await fetch(`${gateway.url}/v1/responses`, {
      method: "POST",
      headers: {
        ...codexHeaders,
        authorization: "Bearer sk-CANARY-key",
        "content-type": "application/json",
        "content-encoding": "zstd",
      },
      body: Buffer.concat([header, json]),
    });
    expect(await response.json()).toMatchObject({ status: "completed" });
  });
});

test("background answers and conversation objects are refused by name", async () => {
  const gateway = await startGateway();
  for (const field of [{ background: true }, { conversation: "conv_1" }]) {
    const response = await post(gateway, { model: "kimi", input: "hi", ...field });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: Object.keys(field)[0] } });
  }
});
