import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import {
  answerText,
  callUnary,
  chatRequest,
  encodeFrame,
  postChat,
  sendChat,
  toRecord,
  trailerOf,
  turnIds,
} from "./client.js";

let simulator: Simulator;
let token: string;

beforeAll(async () => {
  simulator = await startSimulator();
  token = simulator.issue().accessToken;
});
afterAll(() => simulator.close());

const searchAllowed = { top: { tools: [{ type: "TOOL_TYPE_SEARCH", search: {} }] } };

async function sendPrompt(text: string, changes = {}) {
  return sendChat(simulator, token, chatRequest(text, changes));
}

test("the default answer says that it is simulated, in the language of the prompt", async () => {
  expect(answerText(await sendPrompt("Say hi"))).toBe(
    '(Simulated answer: no Kimi account is connected.) You said: "Say hi"',
  );
  expect(answerText(await sendPrompt("你好，世界"))).toBe(
    "（模拟回答：未连接 Kimi 账号。）你说：“你好，世界”",
  );
});

test("an answer has thinking only if the request or a directive asks for it", async () => {
  const options = { thinking: true, reasoning_effort: "REASONING_EFFORT_LOW" };
  expect(answerText(await sendPrompt("2+2?", { options }), "think")).toContain("Simulated");
  expect(
    answerText(
      await sendPrompt("2+2?", { options: { ...options, reasoning_effort: "REASONING_EFFORT_NONE" } }),
      "think",
    ),
  ).toBe("");
  expect(answerText(await sendPrompt("sim:think"), "think")).not.toBe("");
});

test("an answer searches if the request allows it and the prompt needs it, and cites the results", async () => {
  const frames = await sendPrompt("the latest news", searchAllowed);
  const usedChunksEvent = frames.find(({ json }) => json.mask === "message.refs.usedSearchChunks");
  expect(toRecord(toRecord(usedChunksEvent?.json.message).refs).usedSearchChunks).toHaveLength(2);
  expect(answerText(frames)).toContain("\ue3a0cite\ue3a3web_search:1#0\ue3a8");
  const isToolEvent = ({ json }: { json: object }) => "block" in json && "tool" in toRecord(json.block);
  expect((await sendPrompt("the latest news")).some(isToolEvent)).toBe(false);
  expect((await sendPrompt("hello", searchAllowed)).some(isToolEvent)).toBe(false);
});

test("sim:repeat counts, sim:say returns the rest of its line, sim:unicode returns special characters", async () => {
  expect(answerText(await sendPrompt("sim:repeat=3"))).toBe("1 2 3 ");
  expect(answerText(await sendPrompt("now sim:say=exactly  this"))).toBe("exactly  this");
  const specialText = answerText(await sendPrompt("sim:unicode"));
  for (const sample of ["中文", "👩‍👩‍👧‍👦", "\u0000", "\u2028", "\\back"])
    expect(specialText).toContain(sample);
});

test("no delta splits a character", async () => {
  const frames = await sendPrompt(`sim:say=${"𠮷👍🏽".repeat(20)}`);
  expect(frames.every(({ payload }) => !/\\ud[89a-f]|\ufffd/.test(payload))).toBe(true);
});

test("a long answer is complete under back-pressure", async () => {
  expect(answerText(await sendPrompt("sim:repeat=20000"))).toMatch(/19999 20000 $/);
});

test("a request that is not exactly one frame with flags 0 is an invalid argument", async () => {
  const body = JSON.stringify(chatRequest("hello"));
  for (const bytes of [
    Buffer.from(body),
    encodeFrame(body, 1),
    Buffer.concat([encodeFrame(body), encodeFrame(body)]),
    encodeFrame("no JSON"),
  ]) {
    const { bytes: reply } = await postChat(simulator, bytes, token);
    expect(reply.toString()).toContain('"invalid_argument"');
    expect(reply[0]).toBe(2);
  }
});

test("CancelChat ends the running answer as cancelled", async () => {
  const body = encodeFrame(JSON.stringify(chatRequest("sim:say=first\n\nsim:fault=stall,1")));
  const running = postChat(simulator, body, token);
  const listChats = "kimi.gateway.chat.v1.ChatService/ListChats";
  const service = "kimi.gateway.chat.v1.ChatService";
  const latestChat = async () => {
    const { body: chats } = await callUnary(simulator, listChats, { page_size: 1 }, token);
    const [chat] = Array.isArray(chats.chats) ? chats.chats.map(toRecord) : [];
    const response = await callUnary(simulator, `${service}/GetChat`, { chat_id: chat?.id }, token);
    return toRecord(response.body.chat);
  };
  await expect.poll(async () => (await latestChat()).status).toBe("STATUS_GENERATING");
  const { id } = await latestChat();
  expect((await callUnary(simulator, `${service}/CancelChat`, { chat_id: id }, token)).status).toBe(200);
  expect((await running).bytes.toString()).toContain("MESSAGE_STATUS_CANCELLED");
  expect((await running).broken).toBe(false);
  expect(simulator.counts().cancels).toBe(1);
});

test("a client that disconnects stops the answer, and the message is saved as cancelled", async () => {
  const stop = new AbortController();
  const ids = turnIds(await sendPrompt("hello"));
  const turn = chatRequest("sim:slow=5 sim:repeat=100000", {
    top: { chat_id: ids.chat },
    message: { parent_id: ids.assistant },
  });
  const running = postChat(simulator, encodeFrame(JSON.stringify(turn)), token, stop.signal).catch(
    () => undefined,
  );
  await expect.poll(() => simulator.counts().openStreams).toBe(1);
  stop.abort();
  await running;
  await expect.poll(() => simulator.counts().openStreams).toBe(0);
  const listMessages = "kimi.gateway.chat.v1.ChatService/ListMessages";
  await expect
    .poll(async () => (await callUnary(simulator, listMessages, { chat_id: ids.chat }, token)).body.messages)
    .toMatchObject([{ status: "MESSAGE_STATUS_CANCELLED" }, {}, {}, {}, { role: "system" }]);
});

test("received calls are listed with their JSON bodies", async () => {
  await sendPrompt("remember me");
  expect(simulator.calls.at(-1)).toMatchObject({
    method: "POST",
    path: "/apiv2/kimi.gateway.chat.v1.ChatService/Chat",
    body: { message: { role: "user" } },
  });
});

test("an error thrown by a script is sent as status 500 with its message", async () => {
  const broken = await startSimulator({
    script: () => {
      throw new Error("a mistake in the test");
    },
  });
  const reply = await postChat(
    broken,
    encodeFrame(JSON.stringify(chatRequest("hello"))),
    broken.issue().accessToken,
  );
  expect(reply.status).toBe(500);
  expect(reply.bytes.toString()).toContain("a mistake in the test");
  await broken.close();
});

test("the catalogue and the account methods respond with simulated data, and an unknown method is 404", async () => {
  const models = await callUnary(
    simulator,
    "kimi.gateway.config.v1.ConfigService/GetAvailableModels",
    {},
    token,
    { "x-msh-version": "2.2.0" },
  );
  expect(models.body.defaultScenario).toEqual({ scenario: "SCENARIO_CHAT", model: "k2d6-chat" });
  const names = Array.isArray(models.body.availableModels) ? models.body.availableModels.map(toRecord) : [];
  expect(names).toHaveLength(4);
  for (const { displayName } of names) expect(displayName).toContain("(simulated)");
  const user = await callUnary(simulator, "kimi.gateway.account.v1.UserService/GetCurrentUser", {}, token);
  expect(toRecord(user.body.user).id).toMatch(/^[0-9a-v]{20}$/);
  const stats = "kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats";
  expect((await callUnary(simulator, stats, {}, token)).status).toBe(200);
  const quota = "kimi.gateway.storage.v1.StorageService/GetUserStorageQuota";
  expect((await callUnary(simulator, quota, {}, token)).body).toEqual({ quota: { limitBytes: "524288000" } });
  expect((await callUnary(simulator, "kimi.gateway.chat.v1.ChatService/Nonsense", {}, token)).status).toBe(
    404,
  );
  expect(trailerOf(await sendPrompt("hello"))).toEqual({});
});
