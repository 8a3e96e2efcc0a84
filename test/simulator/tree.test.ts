import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { ask, idsOf, question, record, textOf, trailer, unary } from "./client.js";

let simulator: Simulator;
let token: string;

beforeAll(async () => {
  simulator = await startSimulator();
  token = simulator.issue().accessToken;
});
afterAll(() => simulator.close());

function next(text: string, chat: string, parent: string, message = {}) {
  return question(text, { top: { chat_id: chat }, message: { parent_id: parent, ...message } });
}

test("every branch remembers itself and nothing else", async () => {
  const apples = idsOf(await ask(simulator, token, question("apples")));
  const pears = idsOf(await ask(simulator, token, next("pears", apples.chat, apples.assistant)));
  // The second question is edited: a new user node beside the old one (kimi-web.md §2.7).
  const edited = next("plums", apples.chat, apples.assistant, { id: pears.user });
  const plums = idsOf(await ask(simulator, token, edited));
  const recall = async (parent: string) =>
    textOf(await ask(simulator, token, next("sim:recall", apples.chat, parent)));

  expect(await recall(pears.assistant)).toBe("apples\npears");
  expect(await recall(plums.assistant)).toBe("apples\nplums");
  expect(await recall(apples.assistant)).toBe("apples");
  expect(plums.user).not.toBe(pears.user);
});

test("the first question can be asked anew under the chat itself", async () => {
  const first = idsOf(await ask(simulator, token, question("one")));
  const again = next("uno", first.chat, first.chat, {
    id: first.user,
    children_message_ids: [first.assistant],
  });
  const other = idsOf(await ask(simulator, token, again));
  expect(textOf(await ask(simulator, token, next("sim:recall", first.chat, other.assistant)))).toBe("uno");
});

test("camelCase serves as well, and without a parent the chat goes on at its end", async () => {
  const { chat, assistant } = idsOf(await ask(simulator, token, question("hello")));
  const camel = question("Shorter", { top: { chatId: chat }, message: { parentId: assistant } });
  expect(textOf(await ask(simulator, token, camel))).toContain("This is turn 2 of this chat.");
  const bare = await ask(simulator, token, question("And now", { top: { chat_id: chat } }));
  expect(textOf(bare)).toContain("This is turn 3 of this chat.");
});

test("a transcript is recalled line by line as one, and its directives stay quiet", async () => {
  const text = "user: sim:fault=cut\n\nassistant: no\n\nuser: sim:recall";
  expect(textOf(await ask(simulator, token, question(text)))).toBe("user: sim:fault=cut / assistant: no");
});

test("messages are listed newest first, page by page", async () => {
  const { chat, user, assistant } = idsOf(await ask(simulator, token, question("sim:say=Good day.")));
  const list = "kimi.gateway.chat.v1.ChatService/ListMessages";
  const { body } = await unary(simulator, list, { chat_id: chat, page_size: 1 }, token);
  expect(body.messages).toMatchObject([
    {
      id: assistant,
      parentId: user,
      status: "MESSAGE_STATUS_COMPLETED",
      blocks: [{ text: { content: "Good day." } }],
    },
  ]);
  const rest = { chat_id: chat, page_size: 1, page_token: body.nextPageToken };
  const second = await unary(simulator, list, rest, token);
  expect(second.body.messages).toMatchObject([{ id: user, childrenMessageIds: [assistant] }]);
  expect(second.body.nextPageToken).toBeUndefined();
});

test.each(["kimi.chat.v1", "kimi.gateway.chat.v1"])(
  "%s lists, renames and deletes chats",
  async (version) => {
    const service = `${version}.ChatService`;
    const own = simulator.issue({ user: version }).accessToken;
    const { chat } = idsOf(await ask(simulator, own, question("hello")));
    await unary(simulator, `${service}/UpdateChat`, { chat: { id: chat, name: "Greetings" } }, own);
    const { body } = await unary(simulator, `${service}/ListChats`, {}, own);
    expect(body.chats).toMatchObject([{ id: chat, name: "Greetings" }]);
    expect((await unary(simulator, `${service}/GetChat`, { chat_id: chat }, own)).body).toMatchObject({
      chat: { id: chat, status: "STATUS_COMPLETED" },
    });
    expect(await unary(simulator, `${service}/DeleteChat`, { chat_id: chat }, own)).toEqual({
      status: 200,
      body: { chat_id: chat },
    });
    expect((await unary(simulator, `${service}/GetChat`, { chat_id: chat }, own)).status).toBe(404);
    expect((await unary(simulator, `${service}/BatchDeleteChats`, { chat_ids: [] }, own)).status).toBe(200);
  },
);

test("another's chat, an unknown chat and an unknown parent are not found", async () => {
  const { chat, assistant } = idsOf(await ask(simulator, token, question("hello")));
  const stranger = simulator.issue({ user: "eve" }).accessToken;
  const code = async (bearer: string, body: Record<string, unknown>) =>
    record(trailer(await ask(simulator, bearer, body))?.error).code;
  expect(await code(stranger, next("hi", chat, assistant))).toBe("not_found");
  expect(await code(token, next("hi", chat, "nobody"))).toBe("not_found");
  expect(await code(token, next("hi", "nowhere", assistant))).toBe("not_found");
});

test.each([
  ["an empty chat_id", question("hi", { top: { chat_id: "" } })],
  ["another scenario in the message", question("hi", { message: { scenario: "SCENARIO_K3" } })],
  ["no blocks", question("hi", { message: { blocks: [] } })],
  ["another role", question("hi", { message: { role: "assistant" } })],
  ["an unknown model", question("hi", { options: { model: "gpt-4" } })],
  ["a model of another scenario", question("hi", { options: { model: "k3-agent" } })],
  ["an unknown fault", question("sim:fault=nonsense")],
])("%s is an invalid argument", async (_, body) => {
  expect(trailer(await ask(simulator, token, body))).toMatchObject({ error: { code: "invalid_argument" } });
});
