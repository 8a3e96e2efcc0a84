import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MessageHasher } from "../../src/chat/message-hash.js";
import type { Answer, Message, ToolCall } from "../../src/core/types.js";

const hasher = new MessageHasher("key", "me");

const call = (name: string, args: string, id = "call_1"): ToolCall => ({ id, name, arguments: args });
const assistant = (text: string, ...toolCalls: ToolCall[]): Message => ({
  role: "assistant",
  content: text === "" ? [] : [{ type: "text", text }],
  toolCalls,
});
const result = (text: string, toolCallId: string, name?: string): Message => ({
  role: "tool",
  toolCallId,
  content: [{ type: "text", text }],
  ...(name === undefined ? {} : { name }),
});
const answer = (text: string, ...toolCalls: ToolCall[]): Answer => ({ text, reasoning: "", toolCalls });

async function isReturned(given: Answer, returned: Message): Promise<boolean> {
  return (await hasher.answer(given)).includes(await hasher.message(returned));
}

describe("an answer with calls is recognised when it comes back", () => {
  test.each([
    ["other ids", call("read", '{"path":"a"}', "toolu_9")],
    ["white space", call("read", '{\n  "path" : "a"\n}')],
    ["escaped characters", call("read", '{"p\\u0061th":"\\u0061"}')],
  ])("with %s", async (_, returned) => {
    expect(await isReturned(answer("", call("read", '{"path":"a"}')), assistant("", returned))).toBe(true);
  });

  test("with keys in another order, in objects within lists as well", async () => {
    const given = answer("I look.\n", call("edit", '{"path":"a","edits":[{"from":1,"to":2}]}'));
    const returned = assistant("I look.", call("edit", '{"edits":[{"to":2,"from":1}],"path":"a"}'));
    expect(await isReturned(given, returned)).toBe(true);
  });

  test("with an object in place of no arguments at all", async () => {
    expect(await isReturned(answer("", call("list", "")), assistant("", call("list", "{}")))).toBe(true);
  });

  test("without its reasoning", async () => {
    const given = { ...answer("", call("list", "{}")), reasoning: "I had better look." };
    expect(await isReturned(given, assistant("", call("list", "{}")))).toBe(true);
  });

  test("whatever the arguments, once a client has parsed them and written them anew", async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), fc.uuid(), async (args, id) => {
        const given = answer("", call("any", JSON.stringify(args)));
        const reversed = Object.fromEntries(Object.entries(args).reverse());
        expect(
          await isReturned(given, assistant("", call("any", JSON.stringify(reversed, null, 2), id))),
        ).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("but not with other arguments, another function, another order or one call less", async () => {
    const given = answer("", call("read", '{"path":"a"}'), call("list", "{}"));
    for (const returned of [
      assistant("", call("read", '{"path":"b"}'), call("list", "{}")),
      assistant("", call("write", '{"path":"a"}'), call("list", "{}")),
      assistant("", call("list", "{}"), call("read", '{"path":"a"}')),
      assistant("", call("read", '{"path":"a"}')),
      assistant("", call("read", '{"path":["a"]}'), call("list", "{}")),
    ])
      expect(await isReturned(given, returned)).toBe(false);
  });
});

describe("a result", () => {
  test("is the same under another id and name", async () => {
    const hash = await hasher.message(result("42", "call_1", "read"));
    expect(await hasher.message(result("42", "toolu_9"))).toBe(hash);
    expect(await hasher.message(result("42\r\n", "functions.read:0", "other"))).toBe(hash);
  });

  test("is another one than a different text, and than the user's message with the same text", async () => {
    const hash = await hasher.message(result("42", "call_1"));
    expect(await hasher.message(result("43", "call_1"))).not.toBe(hash);
    expect(await hasher.message({ role: "user", content: [{ type: "text", text: "42" }] })).not.toBe(hash);
  });
});
