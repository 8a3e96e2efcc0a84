import { expect, test } from "vitest";
import { sentTurns } from "../../conversations/dialogue.js";
import { type Gateway, type KimiKind, postChat, startGateway } from "../../gateway.js";
import { agentTools, readNote } from "./example-tools.js";

type Json = Record<string, unknown>;

const tools = [readNote, ...agentTools].map(({ name, description = "", parameters }) => ({
  type: "function" as const,
  function: { name, description, parameters },
}));
const ask = 'sim:call read_note {"path":"a"}';
const toolCall = (id: string, path = "a") => ({
  id,
  type: "function" as const,
  function: { name: "read_note", arguments: JSON.stringify({ path }) },
});
const called = { role: "assistant", content: null, tool_calls: [toolCall("1")] };

type Body = {
  conversation_id?: string;
  choices?: { message: Json; finish_reason: string }[];
  error?: Json;
};
type Answer = { status: number; conversation: string; message: Json; error: Json; finish: string };

async function post(gateway: Gateway, messages: readonly Json[], fields: Json = {}): Promise<Answer> {
  const response = await postChat(gateway, { model: "kimi", messages, tools, ...fields });
  const body: Body = JSON.parse(await response.text());
  const [choice] = body.choices ?? [];
  return {
    status: response.status,
    conversation: body.conversation_id ?? "",
    message: choice?.message ?? {},
    finish: choice?.finish_reason ?? "",
    error: body.error ?? {},
  };
}

test.each<KimiKind>(["kimi-web", "kimi-legacy"])(
  "on %s a result alone continues the conversation that the request names",
  async (kind) => {
    const gateway = await startGateway({ kind });
    const { conversation, message } = await post(gateway, [{ role: "user", content: ask }]);
    const [call] = Object(message.tool_calls);
    const result = { role: "tool", tool_call_id: call.id, content: "It was 42." };
    const answer = await post(gateway, [result], { conversation_id: conversation });
    expect(answer).toMatchObject({ status: 200, finish: "stop" });
    expect(answer.message.content).toContain("It was 42.");
    if (kind === "kimi-legacy") return;
    const [, second] = sentTurns(gateway);
    expect(second?.chatId).toBeDefined();
    expect(second?.text).toMatch(/^result of \S+, call 1 of 1: It was 42\./);
  },
);

test("a result without the call that it belongs to is told as one", async () => {
  const gateway = await startGateway();
  const answer = await post(gateway, [
    { role: "user", content: "Hello" },
    { role: "tool", tool_call_id: "x", content: "Nothing asked for it." },
  ]);
  expect(answer.status).toBe(200);
  expect(sentTurns(gateway)[0]?.text).toContain("call 1 of 1: Nothing asked for it.");
});

test("two equal functions of one name are one, two different ones are refused by name", async () => {
  const gateway = await startGateway();
  const [note] = tools;
  const changed = { type: "function", function: { ...note?.function, description: "Another." } };
  const messages = [{ role: "user", content: ask }];
  expect((await post(gateway, messages, { tools: [note, note] })).finish).toBe("tool_calls");
  const refused = await post(gateway, messages, { tools: [note, changed] });
  expect(refused.status).toBe(400);
  expect(refused.error).toMatchObject({ param: "tools", message: expect.stringContaining("read_note") });
});

test.each([
  ["an empty list of tools", { tools: [] }],
  ["no tools any more", { tools: undefined }],
])("with %s the chat goes on in prose, and later with calls again", async (_, fields) => {
  const gateway = await startGateway();
  const result = { role: "tool", tool_call_id: "1", content: "It was 42." };
  const history: Json[] = [{ role: "user", content: ask }];
  expect((await post(gateway, history)).finish).toBe("tool_calls");
  history.push(called, result);
  const prose = await post(gateway, history, fields);
  expect(prose.finish).toBe("stop");
  history.push(
    { role: "assistant", content: prose.message.content },
    { role: "user", content: `Again\n${ask}` },
  );
  expect((await post(gateway, history)).finish).toBe("tool_calls");
  const turns = sentTurns(gateway);
  expect(turns[1]?.text).toMatch(/This answer is prose, without calls of functions\.$/);
  expect(turns.slice(1).map(({ chatId }) => chatId === undefined)).toEqual([false, false]);
  // The functions are known in the chat.
  expect(turns[2]?.text).not.toContain("Reads a note of");
});

test("pictures in a result are attached, in the place where they stand", async () => {
  const gateway = await startGateway();
  const pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const image = { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } };
  const content = [{ type: "text", text: "Before " }, image, { type: "text", text: " after." }];
  const history: Json[] = [{ role: "user", content: ask }];
  await post(gateway, history);
  history.push(called, { role: "tool", tool_call_id: "1", content });
  expect((await post(gateway, history)).status).toBe(200);
  const [, second] = sentTurns(gateway);
  expect(second?.chatId).toBeDefined();
  expect(second?.text).toContain("call 1 of 1: Before [attachment 1] after.");
  expect(gateway.simulator.calls.some(({ path }) => /file|upload/i.test(path))).toBe(true);
});

test("results in any order, with repeated, missing and foreign ids, reach the calls that they belong to", async () => {
  const gateway = await startGateway();
  const calls = ["a", "b", "c"].map((path, index) => toolCall(String(index), path));
  const result = (id: string, content: string) => ({ role: "tool", tool_call_id: id, content });
  await post(gateway, [
    { role: "user", content: "Hello" },
    { role: "assistant", content: "", tool_calls: calls },
    result("2", "of c"),
    result("foreign", "of a or b"),
    result("1", "of b"),
    { role: "user", content: "Well?" },
  ]);
  const text = sentTurns(gateway)[0]?.text;
  expect(text).toContain("call 1 of 3: of a or b");
  expect(text).toContain("call 2 of 3: of b");
  expect(text).toContain("call 3 of 3: of c");
});
