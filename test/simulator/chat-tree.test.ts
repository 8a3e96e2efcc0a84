import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { answerText, callUnary, chatRequest, sendChat, toRecord, trailerOf, turnIds } from "./client.js";

let simulator: Simulator;
let token: string;

beforeAll(async () => {
  simulator = await startSimulator();
  token = simulator.issue().accessToken;
});
afterAll(() => simulator.close());

function nextTurn(text: string, chat: string, parent: string, message = {}) {
  return chatRequest(text, { top: { chat_id: chat }, message: { parent_id: parent, ...message } });
}

test("a branch has only its own messages as history", async () => {
  const apples = turnIds(await sendChat(simulator, token, chatRequest("apples")));
  const pears = turnIds(await sendChat(simulator, token, nextTurn("pears", apples.chat, apples.assistant)));
  // The second message is edited: a new user node with the same parent (kimi-web.md §2.7).
  const edited = nextTurn("plums", apples.chat, apples.assistant, { id: pears.user });
  const plums = turnIds(await sendChat(simulator, token, edited));
  const recall = async (parent: string) =>
    answerText(await sendChat(simulator, token, nextTurn("sim:recall", apples.chat, parent)));

  expect(await recall(pears.assistant)).toBe("apples\npears");
  expect(await recall(plums.assistant)).toBe("apples\nplums");
  expect(await recall(apples.assistant)).toBe("apples");
  expect(plums.user).not.toBe(pears.user);
});

test("the first message can be edited with the chat as its parent", async () => {
  const first = turnIds(await sendChat(simulator, token, chatRequest("one")));
  const edited = nextTurn("uno", first.chat, first.chat, {
    id: first.user,
    children_message_ids: [first.assistant],
  });
  const afterEdit = turnIds(await sendChat(simulator, token, edited));
  expect(
    answerText(await sendChat(simulator, token, nextTurn("sim:recall", first.chat, afterEdit.assistant))),
  ).toBe("uno");
});

test("camelCase fields are accepted, and without a parent a message follows the latest one", async () => {
  const { chat, assistant } = turnIds(await sendChat(simulator, token, chatRequest("hello")));
  const camelCaseRequest = chatRequest("Shorter", {
    top: { chatId: chat },
    message: { parentId: assistant },
  });
  expect(answerText(await sendChat(simulator, token, camelCaseRequest))).toContain(
    "This is turn 2 of this chat.",
  );
  const withoutParent = await sendChat(simulator, token, chatRequest("And now", { top: { chat_id: chat } }));
  expect(answerText(withoutParent)).toContain("This is turn 3 of this chat.");
});

test("sim:recall returns a transcript as one line, and directives in earlier lines have no effect", async () => {
  const text = "user: sim:fault=cut\n\nassistant: no\n\nuser: sim:recall";
  expect(answerText(await sendChat(simulator, token, chatRequest(text)))).toBe(
    "user: sim:fault=cut / assistant: no",
  );
});

test("messages are listed newest first, page by page", async () => {
  const { chat, user, assistant } = turnIds(
    await sendChat(simulator, token, chatRequest("sim:say=Good day.")),
  );
  const list = "kimi.gateway.chat.v1.ChatService/ListMessages";
  const { body } = await callUnary(simulator, list, { chat_id: chat, page_size: 1 }, token);
  expect(body.messages).toMatchObject([
    {
      id: assistant,
      parentId: user,
      status: "MESSAGE_STATUS_COMPLETED",
      blocks: [{ text: { content: "Good day." } }],
    },
  ]);
  const rest = { chat_id: chat, page_size: 1, page_token: body.nextPageToken };
  const second = await callUnary(simulator, list, rest, token);
  expect(second.body.messages).toMatchObject([{ id: user, childrenMessageIds: [assistant] }]);
  const head = { chat_id: chat, page_size: 1, page_token: second.body.nextPageToken };
  const third = await callUnary(simulator, list, head, token);
  expect(third.body.messages).toMatchObject([
    { role: "system", parentId: "00000000-0000-0000-0000-000000000000", childrenMessageIds: [user] },
  ]);
  expect(third.body.nextPageToken).toBeUndefined();
});

test.each(["kimi.chat.v1", "kimi.gateway.chat.v1"])(
  "%s lists, renames and deletes chats",
  async (version) => {
    const service = `${version}.ChatService`;
    const ownToken = simulator.issue({ user: version }).accessToken;
    const { chat } = turnIds(await sendChat(simulator, ownToken, chatRequest("hello")));
    await callUnary(simulator, `${service}/UpdateChat`, { chat: { id: chat, name: "Greetings" } }, ownToken);
    const { body } = await callUnary(simulator, `${service}/ListChats`, {}, ownToken);
    expect(body.chats).toMatchObject([{ id: chat, name: "Greetings" }]);
    expect(
      (await callUnary(simulator, `${service}/GetChat`, { chat_id: chat }, ownToken)).body,
    ).toMatchObject({
      chat: { id: chat, status: "STATUS_COMPLETED" },
    });
    expect(await callUnary(simulator, `${service}/DeleteChat`, { chat_id: chat }, ownToken)).toEqual({
      status: 200,
      body: { chat_id: chat },
    });
    expect((await callUnary(simulator, `${service}/GetChat`, { chat_id: chat }, ownToken)).status).toBe(404);
    expect(
      (await callUnary(simulator, `${service}/BatchDeleteChats`, { chat_ids: [] }, ownToken)).status,
    ).toBe(200);
  },
);

test("a chat of another account, an unknown chat and an unknown parent are not found", async () => {
  const { chat, assistant } = turnIds(await sendChat(simulator, token, chatRequest("hello")));
  const otherToken = simulator.issue({ user: "eve" }).accessToken;
  const errorCode = async (bearer: string, body: Record<string, unknown>) =>
    toRecord(trailerOf(await sendChat(simulator, bearer, body))?.error).code;
  expect(await errorCode(otherToken, nextTurn("hi", chat, assistant))).toBe("not_found");
  expect(await errorCode(token, nextTurn("hi", chat, "nobody"))).toBe("not_found");
  expect(await errorCode(token, nextTurn("hi", "nowhere", assistant))).toBe("not_found");
});

test.each([
  ["no scenario", chatRequest("hi", { top: { scenario: undefined }, message: { scenario: undefined } })],
  ["an unknown scenario", chatRequest("hi", { top: { scenario: "SCENARIO_KARAOKE" } })],
  ["no blocks", chatRequest("hi", { message: { blocks: [] } })],
  ["another role", chatRequest("hi", { message: { role: "assistant" } })],
  ["an unknown model", chatRequest("hi", { options: { model: "gpt-4" } })],
  ["an unknown fault", chatRequest("sim:fault=nonsense")],
])("%s is an invalid argument", async (_, body) => {
  expect(trailerOf(await sendChat(simulator, token, body))).toMatchObject({
    error: { code: "invalid_argument" },
  });
});
