import { expect, test } from "vitest";
import { readMessageStream, type StreamedMessage } from "../api/anthropic-messages/message-stream.js";
import { sentTurns } from "../conversations/dialogue.js";
import { apiKey, type Gateway, startGateway } from "../gateway.js";

type Block = Record<string, unknown>;
type Message = { role: string; content: string | Block[] };

const mark = { cache_control: { type: "ephemeral" } };

function schema(...names: string[]) {
  return {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
    required: names,
  };
}

/** Requests in the shapes of Claude Code: what it changes from one to the next is changed here, too (clients.md §4.1). */
class Session {
  readonly messages: Message[] = [];
  readonly #gateway: Gateway;
  #requests = 0;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  async send(more: object = {}): Promise<StreamedMessage> {
    this.#requests++;
    const response = await fetch(`${this.#gateway.url}/v1/messages?beta=true`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${apiKey}`,
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "advanced-tool-use-2025-11-20",
        "x-app": "cli",
      },
      body: JSON.stringify({ ...this.#body(), ...more }),
    });
    expect(response.status).toBe(200);
    const answer = readMessageStream(await response.text());
    const content = answer.blocks.map((block) =>
      block.type === "tool_use"
        ? { type: "tool_use", id: block.id, name: block.name, input: JSON.parse(block.json || "{}") }
        : { type: "text", text: block.text },
    );
    this.messages.push({ role: "assistant", content });
    return answer;
  }

  #body() {
    const last = this.messages.length - 1;
    return {
      model: "claude-kimi",
      max_tokens: 32_000,
      stream: true,
      system: [
        { type: "text", text: `x-anthropic-billing-header: cc_version=2.1; cch=${this.#requests};` },
        { type: "text", text: "You help with a program.", ...mark },
        { type: "text", text: "Today is 2026-11-29.", ...mark },
      ],
      // The newest message carries the mark, and a system message is a list of blocks only while it is the newest.
      messages: this.messages.map(({ role, content }, index) => {
        if (typeof content !== "string") return { role, content };
        return index >= last - 1
          ? { role, content: [{ type: "text", text: content, ...mark }] }
          : { role, content };
      }),
      tools: [
        {
          name: "Read",
          description: "Reads a file.",
          input_schema: schema("file_path"),
          eager_input_streaming: true,
        },
        { name: "ToolSearch", description: "Finds functions.", input_schema: schema("query"), ...mark },
        {
          name: "DeferredToolPlaceholder",
          description: "None.",
          input_schema: schema(),
          defer_loading: true,
        },
        { name: "NotebookEdit", description: "Edits.", input_schema: schema("cell"), defer_loading: true },
      ],
      thinking: { type: "adaptive", display: "updates" },
      context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
      metadata: { user_id: JSON.stringify({ device_id: "d", session_id: "s" }) },
      temperature: 1,
    };
  }
}

function resultOf(answer: StreamedMessage, content: string | Block[]): Message {
  const call = answer.blocks.find(({ type }) => type === "tool_use");
  return { role: "user", content: [{ type: "tool_result", tool_use_id: call?.id, content, ...mark }] };
}

test("a loop in the shapes of Claude Code stays in one chat, and deferred functions appear when they are referred to", async () => {
  const gateway = await startGateway();
  const session = new Session(gateway);
  session.messages.push(
    { role: "user", content: 'Read it.\nsim:call Read {"file_path":"a.txt"}' },
    { role: "system", content: "The working folder is /work." },
  );
  const read = await session.send();
  expect(read.blocks.at(-1)).toMatchObject({ type: "tool_use", name: "Read", json: '{"file_path":"a.txt"}' });
  session.messages.push(resultOf(read, 'The file.\nsim:call ToolSearch {"query":"notebooks"}'));
  const found = await session.send();
  expect(found.blocks.at(-1)).toMatchObject({ name: "ToolSearch" });
  session.messages.push(resultOf(found, [{ type: "tool_reference", tool_name: "NotebookEdit" }]), {
    role: "user",
    content: [{ type: "text", text: 'Go on.\nsim:call NotebookEdit {"cell":"1"}' }],
  });
  const edited = await session.send();
  expect(edited.blocks.at(-1)).toMatchObject({ name: "NotebookEdit" });
  session.messages.push(resultOf(edited, "Done."));
  expect((await session.send()).stopReason).toBe("end_turn");

  const turns = sentTurns(gateway);
  expect(turns.map(({ chatId }) => chatId !== undefined)).toEqual([false, true, true, true]);
  expect(turns[0]?.text).not.toMatch(/billing|DeferredToolPlaceholder|NotebookEdit/);
  expect(turns[2]?.text).toMatch(/NotebookEdit/);
  expect(
    turns
      .slice(1)
      .map(({ text }) => text)
      .join("\n"),
  ).not.toMatch(/You help with a program/);
});

test("a broken stream is followed by the same request without streaming, whose answer is whole", async () => {
  const gateway = await startGateway();
  const body = {
    model: "claude-kimi",
    max_tokens: 100,
    messages: [{ role: "user", content: "sim:repeat=9" }],
  };
  const post = (stream: boolean) =>
    fetch(`${gateway.url}/v1/messages?beta=true`, {
      method: "POST",
      headers: { "x-api-key": apiKey, "content-type": "application/json" },
      body: JSON.stringify({ ...body, stream }),
    });
  gateway.simulator.fault({ kind: "cut", after: 3 });
  const broken = readMessageStream(await (await post(true)).text());
  expect(broken.error).toMatchObject({ error: { type: "api_error" } });
  const whole = await (await post(false)).json();
  expect(whole).toMatchObject({ stop_reason: "end_turn", content: [{ text: "1 2 3 4 5 6 7 8 9 " }] });
});

test("a conversation that was begun in chat completions goes on over Messages in the same chat, and back", async () => {
  const gateway = await startGateway();
  const history = [{ role: "user", content: "CANARY sim:say=One" }];
  const complete = async () => {
    const { choices } = await gateway.client.chat.completions.create({
      model: "kimi",
      messages: history as never,
    });
    history.push({ role: "assistant", content: choices[0]?.message.content ?? "" });
  };
  await complete();
  history.push({ role: "user", content: "sim:say=Two" });
  const session = new Session(gateway);
  session.messages.push(...history);
  const answer = await session.send({ system: undefined, tools: [], model: "kimi" });
  history.push(
    { role: "assistant", content: answer.blocks[0]?.text ?? "" },
    { role: "user", content: "sim:say=Three" },
  );
  await complete();
  expect(history.at(-1)?.content).toBe("Three");
  expect(sentTurns(gateway).map(({ chatId }) => chatId !== undefined)).toEqual([false, true, true]);
});
