import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import { ask, idsOf, post, question, record, textOf, trailer, unary, wrap } from "./client.js";

let simulator: Simulator;
let token: string;

beforeAll(async () => {
  simulator = await startSimulator();
  token = simulator.issue().accessToken;
});
afterAll(() => simulator.close());

const search = { top: { tools: [{ type: "TOOL_TYPE_SEARCH", search: {} }] } };

async function say(text: string, changes = {}) {
  return ask(simulator, token, question(text, changes));
}

test("it says that it is simulated, in the language it is spoken to", async () => {
  expect(textOf(await say("Say hi"))).toBe(
    '(Simulated answer: no Kimi account is connected.) You said: "Say hi"',
  );
  expect(textOf(await say("你好，世界"))).toBe("（模拟回答：未连接 Kimi 账号。）你说：“你好，世界”");
});

test("it thinks only when asked to", async () => {
  const options = { thinking: true, reasoning_effort: "REASONING_EFFORT_LOW" };
  expect(textOf(await say("2+2?", { options }), "think")).toContain("Simulated");
  expect(
    textOf(
      await say("2+2?", { options: { ...options, reasoning_effort: "REASONING_EFFORT_NONE" } }),
      "think",
    ),
  ).toBe("");
  expect(textOf(await say("sim:think"), "think")).not.toBe("");
});

test("it searches when it may and should, and cites what it found", async () => {
  const frames = await say("the latest news", search);
  const used = frames.find(({ json }) => json.mask === "message.refs.usedSearchChunks");
  expect(record(record(used?.json.message).refs).usedSearchChunks).toHaveLength(2);
  expect(textOf(frames)).toContain("\ue3a0cite\ue3a3web_search:1#0\ue3a8");
  const tool = ({ json }: { json: object }) => "block" in json && "tool" in record(json.block);
  expect((await say("the latest news")).some(tool)).toBe(false);
  expect((await say("hello", search)).some(tool)).toBe(false);
});

test("sim:repeat counts, sim:say says, sim:unicode tries the reader", async () => {
  expect(textOf(await say("sim:repeat=3"))).toBe("1 2 3 ");
  expect(textOf(await say("now sim:say=exactly  this"))).toBe("exactly  this");
  const odd = textOf(await say("sim:unicode"));
  for (const part of ["中文", "👩‍👩‍👧‍👦", "\u0000", "\u2028", "\\back"]) expect(odd).toContain(part);
});

test("no delta splits a character", async () => {
  const frames = await say(`sim:say=${"𠮷👍🏽".repeat(20)}`);
  expect(frames.every(({ payload }) => !/\\ud[89a-f]|\ufffd/.test(payload))).toBe(true);
});

test("a long answer flows at the client's speed", async () => {
  expect(textOf(await say("sim:repeat=20000"))).toMatch(/19999 20000 $/);
});

test("a request is one frame with flags 0", async () => {
  const body = JSON.stringify(question("hello"));
  for (const bytes of [
    Buffer.from(body),
    wrap(body, 1),
    Buffer.concat([wrap(body), wrap(body)]),
    wrap("no JSON"),
  ]) {
    const { bytes: reply } = await post(simulator, bytes, token);
    expect(reply.toString()).toContain('"invalid_argument"');
    expect(reply[0]).toBe(2);
  }
});

test("CancelChat ends the running answer as cancelled", async () => {
  const body = wrap(JSON.stringify(question("sim:say=first\n\nsim:fault=stall,1")));
  const running = post(simulator, body, token);
  const list = "kimi.gateway.chat.v1.ChatService/ListChats";
  const service = "kimi.gateway.chat.v1.ChatService";
  const generating = async () => {
    const { body: chats } = await unary(simulator, list, { page_size: 1 }, token);
    const [chat] = Array.isArray(chats.chats) ? chats.chats.map(record) : [];
    const found = await unary(simulator, `${service}/GetChat`, { chat_id: chat?.id }, token);
    return record(found.body.chat);
  };
  await expect.poll(async () => (await generating()).status).toBe("STATUS_GENERATING");
  const { id } = await generating();
  expect((await unary(simulator, `${service}/CancelChat`, { chat_id: id }, token)).status).toBe(200);
  expect((await running).bytes.toString()).toContain("MESSAGE_STATUS_CANCELLED");
  expect((await running).broken).toBe(false);
  expect(simulator.counts().cancels).toBe(1);
});

test("a client that leaves stops the answer, and the message stays cancelled", async () => {
  const stop = new AbortController();
  const chat = idsOf(await say("hello"));
  const turn = question("sim:slow=5 sim:repeat=100000", {
    top: { chat_id: chat.chat },
    message: { parent_id: chat.assistant },
  });
  const running = post(simulator, wrap(JSON.stringify(turn)), token, stop.signal).catch(() => undefined);
  await expect.poll(() => simulator.counts().openStreams).toBe(1);
  stop.abort();
  await running;
  await expect.poll(() => simulator.counts().openStreams).toBe(0);
  const list = "kimi.gateway.chat.v1.ChatService/ListMessages";
  await expect
    .poll(async () => (await unary(simulator, list, { chat_id: chat.chat }, token)).body.messages)
    .toMatchObject([{ status: "MESSAGE_STATUS_CANCELLED" }, {}, {}, {}]);
});

test("the calls are there to be looked at", async () => {
  await say("remember me");
  expect(simulator.calls.at(-1)).toMatchObject({
    method: "POST",
    path: "/apiv2/kimi.gateway.chat.v1.ChatService/Chat",
    body: { message: { role: "user" } },
  });
});

test("a script that throws says so", async () => {
  const broken = await startSimulator({
    script: () => {
      throw new Error("a mistake in the test");
    },
  });
  const reply = await post(broken, wrap(JSON.stringify(question("hello"))), broken.issue().accessToken);
  expect(reply.status).toBe(500);
  expect(reply.bytes.toString()).toContain("a mistake in the test");
  await broken.close();
});

test("the catalogue and the account answer, and say that they are simulated", async () => {
  const models = await unary(simulator, "kimi.gateway.config.v1.ConfigService/GetAvailableModels", {}, token);
  expect(models.body.defaultScenario).toEqual({ scenario: "SCENARIO_CHAT", model: "k2d6-chat" });
  const names = Array.isArray(models.body.availableModels) ? models.body.availableModels.map(record) : [];
  expect(names).toHaveLength(4);
  for (const { displayName } of names) expect(displayName).toContain("(simulated)");
  const user = await unary(simulator, "kimi.gateway.account.v1.UserService/GetCurrentUser", {}, token);
  expect(record(user.body.user).id).toMatch(/^[0-9a-v]{20}$/);
  const stats = "kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats";
  expect((await unary(simulator, stats, {}, token)).status).toBe(200);
  const quota = "kimi.gateway.storage.v1.StorageService/GetUserStorageQuota";
  expect((await unary(simulator, quota, {}, token)).body).toEqual({ quota: { limitBytes: "524288000" } });
  expect((await unary(simulator, "kimi.gateway.chat.v1.ChatService/Nonsense", {}, token)).status).toBe(404);
  expect(trailer(await say("hello"))).toEqual({});
});
