import { describe, expect, test } from "vitest";
import { type Gateway, type KimiKind, postChat, startGateway } from "../gateway.js";
import { ask, type ChatMessage, filler, longHistory } from "./long-conversation.js";

const kinds: KimiKind[] = ["kimi-web", "kimi-legacy"];

/** The prompts that the simulator has received. */
function prompts({ simulator }: Gateway): string[] {
  return simulator.calls.flatMap(({ path, body }) => {
    if (!/\/Chat$|completion\/stream$/.test(path)) return [];
    const json = JSON.stringify(body);
    const { message, messages } = JSON.parse(json);
    return [message ? (message.blocks[0].text?.content ?? "") : messages[0].content];
  });
}

const uploads = ({ simulator }: Gateway) =>
  simulator.calls.filter(({ path }) => /file\/upload$|^\/prod-chat-kimi/.test(path));

describe.each(kinds)("over %s", (kind) => {
  test("a history of 1,200,000 characters is answered from its first and its last fact, and its chat goes on", async () => {
    const gateway = await startGateway({ kind });
    const messages = longHistory("which one? sim:recall=CANARY-basalt", { turns: 60 });
    const answer = await ask(gateway, messages);
    expect(answer.text).toContain("the last fact is CANARY-basalt");
    expect(answer).toMatchObject({
      moonbridge_notices: [{ code: "conversation_in_file", message: expect.stringContaining("messages") }],
    });
    expect(answer.usage?.prompt_tokens).toBeGreaterThan(100_000);
    const [prompt = ""] = prompts(gateway);
    expect(prompt.length).toBeLessThanOrEqual(400_000);
    expect(prompt).toContain("earlier-conversation.txt");
    expect(prompt).not.toContain("CANARY-quartz");

    const question = "and now? sim:recall=CANARY-quartz";
    messages.push({ role: "assistant", content: answer.text }, { role: "user", content: question });
    expect((await ask(gateway, messages)).text).toContain("the first fact is CANARY-quartz");
    expect(prompts(gateway)[1]).toBe(question);
    expect(uploads(gateway)).toHaveLength(1);
  });

  test("a streamed answer has the notice, functions stay beside the conversation, and a picture is attached", async () => {
    const gateway = await startGateway({ kind });
    const picture = { type: "image_url" as const, image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };
    const text = `the first fact is CANARY-quartz\n${filler(10_000)}`;
    const messages = longHistory("which one? sim:recall=CANARY-quartz", {
      first: { role: "user", content: [{ type: "text", text }, picture] },
    });
    messages.unshift({ role: "system", content: "You are CANARY-terse." });
    const response = await postChat(gateway, {
      model: "kimi",
      messages,
      stream: true,
      tools: [
        { type: "function", function: { name: "read_note", parameters: { type: "object", properties: {} } } },
      ],
    });
    const body = await response.text();
    expect(body).toContain("fact is CANARY-quartz");
    expect(body).toContain('"code":"conversation_in_file"');
    const [prompt = ""] = prompts(gateway);
    expect(prompt.length).toBeLessThanOrEqual(400_000);
    expect(prompt).toContain("read_note");
    expect(prompt).toContain("system: You are CANARY-terse.");
    expect(prompt).toContain("[attachment 1: earlier-conversation.txt][attachment 2");
    expect(uploads(gateway)).toHaveLength(2);
  });

  test("a message longer than a prompt goes on in its chat, with its beginning and end, and whole as a file", async () => {
    const gateway = await startGateway({ kind });
    const messages: ChatMessage[] = [{ role: "user", content: "hello" }];
    messages.push({ role: "assistant", content: (await ask(gateway, messages)).text });
    const long = `CANARY-start ${filler(300_000)}\nmiddle CANARY-agate\n${filler(300_000)}\nsim:recall=CANARY-agate`;
    messages.push({ role: "user", content: long });
    expect((await ask(gateway, messages)).text).toBe("middle CANARY-agate");
    const prompt = prompts(gateway)[1] ?? "";
    expect(prompt.length).toBeLessThan(50_000);
    expect(prompt).toContain("user: CANARY-start");
    expect(prompt).toContain("characters, which are in the attached file");
  });
});

test("an upload that Kimi refuses is the error of the turn, and no prompt is sent", async () => {
  const gateway = await startGateway();
  gateway.simulator.faultUpload({ code: "resource_exhausted", paywall: true });
  await expect(ask(gateway, longHistory("which one?"))).rejects.toMatchObject({ code: "file_rejected" });
  expect(prompts(gateway)).toEqual([]);
});

test("8 MB of text are context_length_exceeded, with their tokens and the model's window", async () => {
  const gateway = await startGateway();
  const refused = ask(gateway, [{ role: "user", content: "word ".repeat((8 * 1_024 * 1_024) / 5) }]);
  await expect(refused).rejects.toMatchObject({
    status: 400,
    code: "context_length_exceeded",
    message: expect.stringMatching(/about \d{7} tokens; k2d6-chat takes 262144/),
  });
  expect(uploads(gateway)).toEqual([]);
});

test.each(kinds)(
  "contextLength of an upstream of kind %s is the window that counts, and is listed",
  async (kind) => {
    const gateway = await startGateway({ kind });
    const { simulator } = gateway;
    const account = { name: "me", kind, baseUrl: simulator.url, ...simulator.issue() };
    const authUrl = kind === "kimi-web" ? { authUrl: simulator.url } : {};
    const messages: ChatMessage[] = [{ role: "user", content: `${"word ".repeat(500_000)} sim:say=fits` }];
    await expect(ask(gateway, messages)).rejects.toMatchObject({ code: "context_length_exceeded" });
    await gateway.replaceUpstreams([{ ...account, ...authUrl, contextLength: 1_000_000 }]);
    expect((await ask(gateway, messages)).text).toBe("fits");
    const listed = await gateway.client.models.retrieve("kimi");
    expect(listed).toMatchObject({ context_length: 1_000_000 });
  },
);

test("equal long histories of two keys are uploaded once for each", async () => {
  const key = "sk-CANARY-second-key";
  const gateway = await startGateway({ keys: [{ name: "second", key }], chats: { mode: "merged" } });
  const body = JSON.stringify({ model: "kimi", messages: longHistory("which one?") });
  for (const authorization of [undefined, undefined, `Bearer ${key}`]) {
    const headers = authorization ? { headers: { authorization, "content-type": "application/json" } } : {};
    expect((await postChat(gateway, body, headers)).status).toBe(200);
  }
  expect(uploads(gateway)).toHaveLength(2);
});

test("a history of calls is cut between rounds: every result in the prompt has its call", async () => {
  const gateway = await startGateway({ tools: { maxOldResultCharacters: 10_000_000 } });
  const messages: ChatMessage[] = [{ role: "user", content: "read all of it: CANARY-first" }];
  for (let round = 0; round < 50; round++) {
    const call = { id: `c${round}`, type: "function" as const };
    messages.push({
      role: "assistant",
      content: null,
      tool_calls: [{ ...call, function: { name: "read_note", arguments: `{"path":"${round}"}` } }],
    });
    messages.push({ role: "tool", tool_call_id: `c${round}`, content: `result ${round} ${filler(20_000)}` });
  }
  await ask(gateway, messages, {
    tools: [
      { type: "function", function: { name: "read_note", parameters: { type: "object", properties: {} } } },
    ],
  });
  const [prompt = ""] = prompts(gateway);
  expect(prompt.length).toBeLessThanOrEqual(400_000);
  expect(prompt).not.toContain("missing");
  const conversation = prompt.slice(prompt.indexOf("earlier-conversation.txt"));
  const calls = conversation.match(/"path":"\d+"/g) ?? [];
  expect(calls.length).toBeGreaterThan(10);
  expect(conversation.match(/result of read_note, call 1 of 1: result \d+/g)).toHaveLength(calls.length);
});
