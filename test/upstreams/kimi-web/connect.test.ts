import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { expect, onTestFinished, test } from "vitest";
import { chatMethod } from "../../chat-method.js";
import { asking, chunksOf, post, startGateway, textOf } from "../../gateway.js";

type Events = (request: JsonValue) => AsyncGenerator<JsonValue>;

/** Kimi's side by connect-node: an implementation of Connect that is neither ours nor our simulator's. */
async function independentKimi(events: Events): Promise<string> {
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

const heading: JsonValue[] = [
  { op: "set", mask: "chat", chat: { id: "c" } },
  {
    op: "set",
    mask: "message",
    message: { id: "m", role: "assistant", status: "MESSAGE_STATUS_GENERATING" },
  },
];
const ending: JsonValue[] = [
  { op: "set", mask: "message.status", message: { id: "m", status: "MESSAGE_STATUS_COMPLETED" } },
  { done: {} },
];
const delta = (op: string, content: string): JsonValue => ({
  op,
  mask: "block.text",
  block: { id: "1", text: { content } },
});

test("our request and our reading agree with connect-node's server", async () => {
  const asked: JsonValue[] = [];
  const baseUrl = await independentKimi(async function* (request) {
    asked.push(request);
    yield* heading;
    yield delta("set", "Good ");
    yield delta("append", "evening, 月亮 🌙");
    yield* ending;
  });
  const gateway = await startGateway({ baseUrl });
  const response = await post(gateway, asking("hello", { stream: true }));
  expect(textOf(chunksOf(await response.text()))).toBe("Good evening, 月亮 🌙");
  expect(asked).toEqual([
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

test("its error trailers are understood", async () => {
  const codes: [Code, number][] = [
    [Code.ResourceExhausted, 429],
    [Code.Unavailable, 503],
    [Code.DeadlineExceeded, 504],
    [Code.Internal, 502],
  ];
  for (const [code, status] of codes) {
    // biome-ignore lint/correctness/useYield: this server fails before its first event.
    const baseUrl = await independentKimi(async function* () {
      throw new ConnectError("no", code);
    });
    expect((await post(await startGateway({ baseUrl }), asking("hello"))).status).toBe(status);
  }
});

test("the first delta reaches the client before the second leaves Kimi", async () => {
  let release = () => {};
  const received = new Promise<void>((resolve) => {
    release = resolve;
  });
  const baseUrl = await independentKimi(async function* () {
    yield* heading;
    yield delta("set", "first");
    // Without the client's word for it there is never a second one.
    await received;
    yield delta("append", " second");
    yield* ending;
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
