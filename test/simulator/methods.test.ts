import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../simulator/index.js";
import {
  answerText,
  callUnary,
  chatRequest,
  encodeFrame,
  type Json,
  parseFrames,
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

/** Posts a frame to a streaming method. */
async function postFrame(method: string, body: Json, headers: Record<string, string> = {}) {
  const response = await request(`${simulator.url}/apiv2/${method}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/connect+json", ...headers },
    body: encodeFrame(JSON.stringify(body)),
  });
  const bytes = Buffer.from(await response.body.arrayBuffer());
  return { status: response.statusCode, headers: response.headers, frames: parseFrames(bytes).frames };
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(toRecord) : [];
}

const chatService = "kimi.gateway.chat.v1.ChatService";

test("Chat of the old package answers like that of today", async () => {
  const { frames } = await postFrame("kimi.chat.v1.ChatService/Chat", chatRequest("sim:say=the same"));
  expect(answerText(frames)).toBe("the same");
});

test.each(["application/json", "application/connect+proto", "text/plain"])(
  "Chat refuses the content type %s with 415",
  async (type) => {
    const { status, headers } = await postFrame(`${chatService}/Chat`, chatRequest("hi"), {
      "content-type": type,
    });
    expect(status).toBe(415);
    expect(headers["accept-post"]).toBe("application/connect+json");
  },
);

test("Chat takes its content type with parameters", async () => {
  const type = "Application/Connect+JSON; charset=utf-8";
  const { frames } = await postFrame(`${chatService}/Chat`, chatRequest("hi"), { "content-type": type });
  expect(trailerOf(frames)).toEqual({});
});

describe("GetAvailableModels", () => {
  const method = "kimi.gateway.config.v1.ConfigService/GetAvailableModels";

  test.each([
    ["2.3.0", ["k2d6", "k28-preview", "k3", "k3-agent-ultra"]],
    ["2.0.0", ["k2d6", "k28-preview", "k3", "k3-agent-ultra"]],
    ["1.0.0", ["k2d6", "k2d6-thinking", "k2d6-agent", "k2d6-agent-ultra"]],
    [undefined, ["k2d6", "k2d6-thinking", "k2d6-agent", "k2d6-agent-ultra"]],
  ])("with x-msh-version %s and without a token lists %j", async (version, keys) => {
    const headers = version === undefined ? {} : { "x-msh-version": version };
    const { status, body } = await callUnary(simulator, method, {}, undefined, headers);
    expect(status).toBe(200);
    expect(objects(body.availableModels).map(({ key }) => key)).toEqual(keys);
  });

  test("refuses an invalid token", async () => {
    expect((await callUnary(simulator, method, {}, "nonsense")).status).toBe(401);
  });
});

test("GetSubscription of the order service is a check of the token", async () => {
  const method = "kimi.gateway.order.v1.SubscriptionService/GetSubscription";
  const { body } = await callUnary(simulator, method, {}, token);
  expect(toRecord(body.subscription).userId).toMatch(/^[0-9a-v]{20}$/);
  expect((await callUnary(simulator, method, {})).status).toBe(403);
});

test("a pinned chat is in pinnedChats, in ListPinResources and, on request, in the feed", async () => {
  const bearer = simulator.issue({ user: "pins" }).accessToken;
  const { chat: plain } = turnIds(await sendChat(simulator, bearer, chatRequest("plain")));
  const { chat: pinned } = turnIds(await sendChat(simulator, bearer, chatRequest("pinned")));
  const call = async (method: string, body: Json) => (await callUnary(simulator, method, body, bearer)).body;
  const pin = { resource_type: "PIN_RESOURCE_TYPE_CHAT", resource_id: pinned };
  await call("kimi.gateway.pin.v1.PinService/PinResource", pin);

  const listed = await call(`${chatService}/ListChats`, { pageSize: 200, includePinned: true });
  expect(objects(listed.chats).map(({ id }) => id)).toEqual([plain]);
  expect(objects(listed.pinnedChats).map(({ id }) => id)).toEqual([pinned]);
  expect(await call(`${chatService}/ListChats`, {})).not.toHaveProperty("pinnedChats");

  const pins = await call("kimi.gateway.pin.v1.PinService/ListPinResources", { page_size: 10 });
  expect(pins.resources).toMatchObject([{ resourceId: pinned }]);
  const feed = async (body: Json) =>
    objects((await call("kimi.gateway.feed.v1.FeedService/ListFeeds", body)).items).map(({ type, chat }) => [
      type,
      toRecord(chat).id,
    ]);
  expect(await feed({ page_size: 100, include_pinned: false })).toEqual([["FEED_TYPE_CHAT", plain]]);
  expect(await feed({ page_size: 100, include_pinned: true })).toHaveLength(2);

  await call("kimi.gateway.pin.v1.PinService/UnpinResource", pin);
  expect(objects((await call(`${chatService}/ListChats`, {})).chats)).toHaveLength(2);
});

describe("a message with a search", () => {
  const searchAllowed = { top: { tools: [{ type: "TOOL_TYPE_SEARCH", search: {} }] } };

  test("is listed without the contents of the tool and the sources, which have methods of their own", async () => {
    const ids = turnIds(await sendChat(simulator, token, chatRequest("the latest news", searchAllowed)));
    const { body } = await callUnary(simulator, `${chatService}/ListMessages`, { chat_id: ids.chat }, token);
    const [message = {}] = objects(body.messages);
    const toolBlock = objects(message.blocks).find(({ tool }) => tool !== undefined);
    const tool = toRecord(toolBlock?.tool);
    expect(tool).toMatchObject({ name: "web_search", loadType: "LOAD_TYPE_EXTERNAL", contentCount: "2" });
    expect(tool).not.toHaveProperty("contents");
    expect(toRecord(message.refs).searchChunks).toEqual([
      { id: "1", refIndex: "web_search:1#0" },
      { id: "2", refIndex: "web_search:1#1" },
    ]);

    const old = "kimi.chat.v1.ChatService";
    const toolCall = { chatId: ids.chat, toolCallId: tool.toolCallId };
    const { block } = (await callUnary(simulator, `${old}/GetToolBlock`, toolCall, token)).body;
    expect(toRecord(toRecord(block).tool).contents).toHaveLength(2);
    const citation = { chatId: ids.chat, messageId: ids.assistant, refIndex: "web_search:1#1", blockId: "" };
    expect((await callUnary(simulator, `${old}/GetSearchCitation`, citation, token)).body).toMatchObject({
      searchChunk: { base: { url: "https://example.com/simulated" } },
    });
    const whole = { chat_id: ids.chat, message_id: ids.assistant };
    expect((await callUnary(simulator, `${old}/GetMessage`, whole, token)).body).toMatchObject({
      message: { id: ids.assistant, refs: { searchChunks: [{ base: {} }, { base: {} }] } },
    });
    const unknown = { chat_id: ids.chat, tool_call_id: "web_search:7" };
    expect((await callUnary(simulator, `${old}/GetToolBlock`, unknown, token)).status).toBe(404);
  });

  test("sim:search=lazy leaves them out of the stream, too", async () => {
    const frames = await sendChat(simulator, token, chatRequest("sim:search=lazy"));
    const tools = frames.map(({ json }) => toRecord(toRecord(json.block).tool));
    expect(tools).toContainEqual({
      loadType: "LOAD_TYPE_EXTERNAL",
      contentCount: "2",
      status: "STATUS_DONE",
    });
    expect(frames.some(({ payload }) => payload.includes("example.org"))).toBe(false);
    expect(answerText(frames)).toContain("web_search:1#0");
  });
});

describe("ResumeChat", () => {
  test("sends a finished answer again", async () => {
    const ids = turnIds(await sendChat(simulator, token, chatRequest("sim:say=once more sim:think")));
    const { frames } = await postFrame(`${chatService}/ResumeChat`, { chat_id: ids.chat });
    expect(answerText(frames)).toContain("once more");
    expect(trailerOf(frames)).toEqual({});
    expect(frames.find(({ json }) => json.mask === "message.status")?.json.message).toEqual({
      id: ids.assistant,
      status: "MESSAGE_STATUS_COMPLETED",
    });
  });

  test("waits for a running answer", async () => {
    const quick = await startSimulator({ heartbeatMilliseconds: 5 });
    const bearer = quick.issue().accessToken;
    const running = sendChat(quick, bearer, chatRequest("sim:repeat=20 sim:slow=20"));
    const latestChat = async () =>
      objects((await callUnary(quick, `${chatService}/ListChats`, {}, bearer)).body.chats)[0]?.id;
    await expect.poll(latestChat, { timeout: 20_000 }).toBeDefined();
    const response = await request(`${quick.url}/apiv2/${chatService}/ResumeChat`, {
      method: "POST",
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/connect+json" },
      body: encodeFrame(JSON.stringify({ chat_id: await latestChat() })),
    });
    const { frames } = parseFrames(Buffer.from(await response.body.arrayBuffer()));
    expect(answerText(frames)).toMatch(/^1 2 .* 20 $/);
    expect(answerText(await running)).toBe(answerText(frames));
    await quick.close();
  });

  test("does not find an unknown chat", async () => {
    const { frames } = await postFrame(`${chatService}/ResumeChat`, { chat_id: "nowhere" });
    expect(trailerOf(frames)).toMatchObject({ error: { code: "not_found" } });
  });
});
