import type OpenAI from "openai";
import { expect, test } from "vitest";
import { sentTurns } from "../../conversations/dialogue.js";
import { startGateway } from "../../gateway.js";

type Message = OpenAI.ChatCompletionMessageParam;
type FunctionCall = { name?: string; arguments?: string };

const functions = [
  {
    name: "read_note",
    description: "Reads a note.",
    parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
  },
];

test("a client that declares functions gets one function_call, streamed or not, and sends its result", async () => {
  const { client, ...gateway } = await startGateway();
  for (const stream of [true, false]) {
    const before = sentTurns({ client, ...gateway }).length;
    const content = `(${stream})\nsim:call read_note {"path":"a"}\nsim:call read_note {"path":"b"}`;
    const messages: Message[] = [{ role: "user", content }];
    const send = async () => {
      const body = { model: "kimi", messages, functions };
      if (!stream) return (await client.chat.completions.create(body)).choices[0];
      const call: FunctionCall = { arguments: "" };
      let text = "";
      let finish_reason: string | null = null;
      for await (const { choices } of await client.chat.completions.create({ ...body, stream })) {
        const [{ delta, finish_reason: reason } = { delta: {}, finish_reason: null }] = choices;
        expect(delta).not.toHaveProperty("tool_calls");
        call.name = delta.function_call?.name ?? call.name ?? "";
        call.arguments += delta.function_call?.arguments ?? "";
        text += delta.content ?? "";
        finish_reason = reason ?? finish_reason;
      }
      return { finish_reason, message: { content: text, function_call: call } };
    };
    const called = await send();
    const function_call = { name: "read_note", arguments: '{"path":"a"}' };
    expect(called).toMatchObject({ finish_reason: "function_call", message: { function_call } });
    expect(called?.message).not.toHaveProperty("tool_calls");
    messages.push({ role: "assistant", content: null, function_call });
    messages.push({ role: "function", name: "read_note", content: "It was 42." });
    const answered = await send();
    expect(answered?.finish_reason).toBe("stop");
    expect(answered?.message.content).toContain("It was 42.");
    const [first, second] = sentTurns({ client, ...gateway }).slice(before);
    expect(first?.text).toMatch(/a message has one call/);
    expect(second?.text).toMatch(/^result of read_note, call 1 of 1: It was 42\./m);
  }
});

test.each([
  ["a named function", { name: "read_note" }, "function_call"],
  ["none", "none" as const, "stop"],
])("function_call can be %s", async (_, function_call, finish_reason) => {
  const { client } = await startGateway();
  const messages: Message[] = [{ role: "user", content: "Hello" }];
  const answer = await client.chat.completions.create({ model: "kimi", messages, functions, function_call });
  expect(answer.choices[0]).toMatchObject({ finish_reason });
});
