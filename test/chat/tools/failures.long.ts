import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { describe, expect, test } from "vitest";
import type { Step, Turn } from "../../../simulator/index.js";
import { sentTurns } from "../../conversations/dialogue.js";
import { chatBody, type Gateway, type KimiKind, parseChunks, postChat, startGateway } from "../../gateway.js";
import { readNote } from "./example-tools.js";

const { name, description = "", parameters } = readNote;
const tools = [{ type: "function" as const, function: { name, description, parameters } }];
const kinds: KimiKind[] = ["kimi-web", "kimi-legacy"];

type Message = ChatCompletionMessageParam;

function call(path: string, word: string): string {
  return `<call-${word}>{"name":"read_note","arguments":{"path":${JSON.stringify(path)}}}</call-${word}>`;
}

/** A script that knows the word of the chat. */
function scripted(steps: (word: string, turn: Turn) => Step[] | undefined) {
  const words = new Map<string, string>();
  return (turn: Turn) => {
    const told = /<call-(\w{4})>/.exec(turn.text)?.[1] ?? words.get(turn.chatId) ?? "";
    words.set(turn.chatId, told);
    return steps(told, turn);
  };
}

function pathsOf(message: Message | undefined): string[] {
  const calls = message?.role === "assistant" ? (message.tool_calls ?? []) : [];
  return calls.flatMap((call) =>
    call.type === "function" ? [JSON.parse(call.function.arguments).path] : [],
  );
}

/** Sends the messages, adds the answer and returns the paths of its calls. */
async function send(
  { client }: Gateway,
  messages: Message[],
  { stream, ...fields }: { stream: boolean } & Record<string, unknown>,
): Promise<string[]> {
  const body = { model: "kimi", messages, tools, ...fields };
  const { completions } = client.chat;
  const { choices } = stream
    ? await completions.stream(body).finalChatCompletion()
    : await completions.create({ ...body, stream: false });
  const message = choices[0]?.message;
  if (message) messages.push(message);
  return pathsOf(message);
}

function addResults(messages: Message[], text: (path: string) => string): void {
  const answer = messages.at(-1);
  const calls = answer?.role === "assistant" ? (answer.tool_calls ?? []) : [];
  const paths = pathsOf(answer);
  calls.forEach(({ id }, index) => {
    messages.push({ role: "tool", tool_call_id: id, content: text(paths[index] ?? "") });
  });
}

describe.each(kinds)("an answer that breaks off on %s", (kind) => {
  const endings: Step[] = [{ do: "cut" }, { do: "cut-in-frame" }, { do: "no-trailer" }];
  test.each(["held", "streamed"] as const)(
    "in a call that is %s is an error without a half call",
    async (form) => {
      let ending: Step = { do: "cut" };
      const length = form === "held" ? 100 : 20_000;
      const script = scripted((word) => [
        {
          do: "text",
          content: `Here is the note that you have asked me for:\n${call("x".repeat(length), word).slice(0, -40)}`,
        },
        ending,
      ]);
      const gateway = await startGateway({ kind, simulator: { script } });
      for (ending of endings) {
        const streamed = await postChat(gateway, chatBody(`Read ${ending.do}`, { tools, stream: true }));
        const text = await streamed.text();
        const chunks = parseChunks(text);
        expect(chunks.at(-1)?.error?.code, ending.do).toBe("upstream_cut");
        expect(chunks.filter(({ choices }) => choices?.[0]?.finish_reason)).toEqual([]);
        expect(text.includes("tool_calls"), ending.do).toBe(form === "streamed");
        const whole = await postChat(gateway, chatBody(`Read whole ${ending.do}`, { tools }));
        expect(whole.status).toBe(502);
        expect(await whole.json()).toMatchObject({ error: { code: "upstream_cut" } });
      }
    },
  );
});

describe.each(kinds)("calls on %s", (kind) => {
  test("before a broken one are delivered, and the broken one is not sent again", async () => {
    const broken = (word: string) => `<call-${word}>{"name":"read_note","arguments":{"path":`;
    const script = scripted((word, { text }) =>
      text.includes("content of")
        ? [{ do: "text", content: "Done." }]
        : [{ do: "text", content: [call("a", word), call("b", word), broken(word)].join("\n") }],
    );
    const gateway = await startGateway({ kind, simulator: { script } });
    for (const stream of [true, false]) {
      const messages: Message[] = [{ role: "user", content: `Read ${stream}` }];
      expect(await send(gateway, messages, { stream })).toEqual(["a", "b"]);
      addResults(messages, (path) => `content of ${path}`);
      expect(await send(gateway, messages, { stream })).toEqual([]);
      expect(messages.at(-1)).toMatchObject({ content: "Done." });
    }
    expect(gateway.simulator.counts().chats).toBe(4);
  });

  test("that are the same are delivered once, long ones too", async () => {
    const script = scripted((word, { text }) => {
      const path = /long/.test(text) ? "x".repeat(30_000) : "a";
      return [
        { do: "text", content: [call(path, word), call(path, word), call(`${path}b`, word)].join("\n") },
      ];
    });
    const gateway = await startGateway({ kind, simulator: { script } });
    for (const stream of [true, false]) {
      expect(await send(gateway, [{ role: "user", content: `short ${stream}` }], { stream })).toEqual([
        "a",
        "ab",
      ]);
      const paths = await send(gateway, [{ role: "user", content: `long ${stream}` }], { stream });
      expect(paths.map(({ length }) => length)).toEqual([30_000, 30_001]);
    }
  });
});

/** A finished turn, and a second message whose call of read_note has the fault. */
async function startWithFault(gateway: Gateway, fault: string, stream: boolean): Promise<Message[]> {
  const messages: Message[] = [{ role: "user", content: `Hello ${stream}` }];
  await send(gateway, messages, { stream });
  const content = `sim:tool-fault=${fault}\nsim:call read_note {"path":"${stream}"}`;
  messages.push({ role: "user", content });
  return messages;
}

describe("a correction", () => {
  test("is a sibling, and no reproach is on the path of the next turn", async () => {
    const gateway = await startGateway();
    for (const stream of [true, false]) {
      const before = sentTurns(gateway).length;
      const messages = await startWithFault(gateway, "unknown-tool", stream);
      expect(await send(gateway, messages, { stream })).toEqual([String(stream)]);
      addResults(messages, () => "It was 42.");
      expect(await send(gateway, messages, { stream })).toEqual([]);
      expect(messages.at(-1)?.content).toContain("It was 42.");
      messages.push({ role: "user", content: "Thank you." });
      await send(gateway, messages, { stream });
      const [first, wrong, corrected, result, thanks] = sentTurns(gateway).slice(before);
      expect(first?.chatId).toBeUndefined();
      expect(wrong?.text).not.toContain("could not carry out");
      expect(corrected?.text).toContain("could not carry out");
      expect(corrected).toMatchObject({ chatId: wrong?.chatId, parentId: wrong?.parentId });
      // It goes on from the turn before, and brings along what was said since.
      expect(result).toMatchObject({ chatId: wrong?.chatId, parentId: wrong?.parentId });
      expect(result?.text).toContain(`"arguments":{"path":"${stream}"}`);
      expect(result?.text).not.toContain("could not carry out");
      expect(thanks?.chatId).toBe(wrong?.chatId);
      expect(thanks?.parentId).not.toBe(wrong?.parentId);
      expect(thanks?.text).toMatch(/^Thank you\./);
    }
  });

  test("that does not help is followed by one in a new chat with the whole history", async () => {
    const gateway = await startGateway();
    for (const stream of [true, false]) {
      const before = sentTurns(gateway).length;
      const messages = await startWithFault(gateway, "unknown-tool,2", stream);
      expect(await send(gateway, messages, { stream })).toEqual([String(stream)]);
      const [, wrong, second, third, none] = sentTurns(gateway).slice(before);
      expect(second).toMatchObject({ chatId: wrong?.chatId, parentId: wrong?.parentId });
      expect(third?.chatId).toBeUndefined();
      expect(third?.text).toContain(`user: Hello ${stream}`);
      expect(none).toBeUndefined();
    }
  });

  test("of an answer that takes forced functions for an injection has a shorter section", async () => {
    const gateway = await startGateway();
    for (const tool_choice of ["auto", "required"]) {
      const before = sentTurns(gateway).length;
      const messages: Message[] = [
        { role: "user", content: `${tool_choice} sim:tool-fault=refuse\nsim:call read_note {"path":"a"}` },
      ];
      expect(await send(gateway, messages, { stream: true, tool_choice })).toEqual(["a"]);
      const [long, short] = sentTurns(gateway).slice(before);
      expect(short?.chatId).toBeUndefined();
      expect(short?.bytes).toBeLessThan(long?.bytes ?? 0);
      expect(short?.text).not.toContain("could not carry out");
    }
  });

  test("waits until the chat is free after a tool of Kimi's was stopped", async () => {
    const gateway = await startGateway({ simulator: { cancelMilliseconds: 1_200 } });
    const messages: Message[] = [{ role: "user", content: "Hello" }];
    await send(gateway, messages, { stream: true });
    messages.push({
      role: "user",
      content: 'sim:slow=100 sim:tool-fault=kimi-tool\nsim:call read_note {"path":"a"}',
    });
    expect(await send(gateway, messages, { stream: true })).toEqual(["a"]);
    expect(new Set(sentTurns(gateway).map(({ chatId }) => chatId)).size).toBe(2);
  });
});

/** A model that calls the next number after each result and then goes on, as if it knew the result. */
function talkative(tail: number) {
  return scripted((word, { text }) => {
    const results = [...text.matchAll(/it is (\d+)/g)];
    return text.includes("Hello")
      ? undefined
      : [
          { do: "text", content: call(String(Number(results.at(-1)?.[1] ?? -1) + 1), word) },
          { do: "pace", milliseconds: 5 },
          { do: "text", content: `\n\nThe note says ${"it goes on ".repeat(tail)}` },
        ];
  });
}

describe("with a function that takes no time", () => {
  test.each([
    ["thirty steps", "is obedient", 30, 0],
    ["thirty steps", "goes on after its calls", 30, 8],
    ["three steps", "has to be stopped after its calls", 3, 2_000],
  ])("%s of a model that %s stay in one chat", async (_, title, steps, tail) => {
    const script = title === "is obedient" ? undefined : talkative(tail);
    const gateway = await startGateway({
      simulator: { cancelMilliseconds: 3_000, ...(script ? { script } : {}) },
    });
    const messages: Message[] = [{ role: "user", content: "Hello" }];
    await send(gateway, messages, { stream: true });
    messages.push({ role: "user", content: 'sim:call read_note {"path":"0"}' });
    for (let step = 0; step < steps; step++) {
      expect(await send(gateway, messages, { stream: true })).toEqual([String(step)]);
      addResults(messages, (path) => `it is ${path}\nsim:call read_note {"path":"${Number(path) + 1}"}`);
    }
    const turns = sentTurns(gateway);
    // A message that a busy chat refuses would have been sent again.
    if (steps === 30) expect(turns).toHaveLength(steps + 1);
    expect(new Set(turns.slice(1).map(({ chatId }) => chatId)).size).toBe(1);
  });
});
