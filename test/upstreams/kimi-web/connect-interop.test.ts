import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { expect, onTestFinished, test } from "vitest";
import { chatMethod } from "../../connect-chat-method.js";
import { chatBody, contentOf, parseChunks, postChat, startGateway } from "../../gateway.js";

type EventGenerator = (request: JsonValue) => AsyncGenerator<JsonValue>;

/** Kimi's side by connect-node, an independent implementation of Connect. */
async function startConnectNodeKimi(events: EventGenerator): Promise<string> {
  const method = chatMethod();
  const adapter = connectNodeAdapter({
    requestPathPrefix: "/apiv2",
    routes: (router) =>
      router.rpc(method, async function* (request) {
        for await (const event of events(toJson(method.input, request))) yield fromJson(StructSchema, event);
      }),
  });
  const server = createServer(adapter);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const firstEvents: JsonValue[] = [
  { op: "set", mask: "chat", chat: { id: "c" } },
  {
    op: "set",
    mask: "message",
    message: { id: "m", role: "assistant", status: "MESSAGE_STATUS_GENERATING" },
  },
];
const lastEvents: JsonValue[] = [
  { op: "set", mask: "message.status", message: { id: "m", status: "MESSAGE_STATUS_COMPLETED" } },
  { done: {} },
];
const delta = (op: string, content: string): JsonValue => ({
  op,
  mask: "block.text",
  block: { id: "1", text: { content } },
});

test("connect-node parses the request and its stream is decoded", async () => {
  const requests: JsonValue[] = [];
  const baseUrl = await startConnectNodeKimi(async function* (request) {
    requests.push(request);
    yield* firstEvents;
    yield delta("set", "Good ");
    yield delta("append", "evening, 月亮 🌙");
    yield* lastEvents;
  });
  const gateway = await startGateway({ baseUrl });
  const response = await postChat(gateway, chatBody("hello", { stream: true }));
  expect(contentOf(parseChunks(await response.text()))).toBe("Good evening, 月亮 🌙");
  expect(requests).toEqual([
    {
      scenario: "SCENARIO_CHAT",
      tools: [{ type: "TOOL_TYPE_SEARCH", search: {} }],
      message: {
        role: "user",
        blocks: [{ message_id: "", text: { content: "hello" } }],
        scenario: "SCENARIO_CHAT",
        is_goal: false,
      },
      options: {
        thinking: false,
        enable_plugin: false,
        reasoning_effort: "REASONING_EFFORT_NONE",
        model: "k2d6-chat",
      },
      project_id: "",
    },
  ]);
});

test("error trailers of connect-node become HTTP statuses", async () => {
  const codes: [Code, number][] = [
    [Code.ResourceExhausted, 429],
    [Code.Unavailable, 503],
    [Code.DeadlineExceeded, 504],
    [Code.Internal, 502],
  ];
  for (const [code, status] of codes) {
    // biome-ignore lint/correctness/useYield: this server fails before its first event.
    const baseUrl = await startConnectNodeKimi(async function* () {
      throw new ConnectError("no", code);
    });
    expect((await postChat(await startGateway({ baseUrl }), chatBody("hello"))).status).toBe(status);
  }
});

test("streams the first delta to the client before Kimi sends the second", async () => {
  let release = () => {};
  const received = new Promise<void>((resolve) => {
    release = resolve;
  });
  const baseUrl = await startConnectNodeKimi(async function* () {
    yield* firstEvents;
    yield delta("set", "first");
    // Sends the second delta only after the client has received the first.
    await received;
    yield delta("append", " second");
    yield* lastEvents;
  });
  const gateway = await startGateway({ baseUrl });
  const stream = await gateway.client.chat.completions.create({ ...hello, stream: true });
  let text = "";
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    if (text === "first") release();
  }
  expect(text).toBe("first second");
});

const hello = { model: "kimi", messages: [{ role: "user" as const, content: "hello" }] };
