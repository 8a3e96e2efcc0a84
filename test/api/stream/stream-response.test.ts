import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type StreamEncoder, streamAnswer } from "../../../src/api/stream/stream-answer.js";
import { StreamResponse } from "../../../src/api/stream/stream-response.js";
import { GatewayError } from "../../../src/core/errors.js";
import type { ChatEvent, EventSink } from "../../../src/core/types.js";

const encoder: StreamEncoder = {
  contentType: "text/event-stream; charset=utf-8",
  start: undefined,
  encode: (events) => events.map((event) => (event.type === "text" ? event.text : "")).join(""),
  encodeText: (value) => value,
  encodeError: (error) => `error ${error.code}`,
  encodeKeepAlive: () => ": keep-alive\n\n",
};

/** Starts a server that answers every request with a stream of the given events; returns its port. */
async function startStreamServer(
  answer: (response: ServerResponse) => AsyncGenerator<readonly ChatEvent[]>,
  times = { holdHeader: 10_000, keepAlive: 10_000, stuckClient: 10_000 },
  used = encoder,
): Promise<number> {
  const server = createServer((_request, response) => {
    const stream = new StreamResponse(response, times, {
      contentType: used.contentType,
      headers: () => ({ "x-known": "late" }),
      keepAlive: () => used.encodeKeepAlive(),
    });
    const emitAll = async (sink: EventSink) => {
      for await (const events of answer(response)) await sink(events);
    };
    streamAnswer(emitAll, used, stream, { visibleErrors: false }).catch(() =>
      response.writeHead(503).end("refused"),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const text = (value: string): ChatEvent => ({ type: "text", text: value });
const finish: ChatEvent = { type: "finish", reason: "stop" };

async function get(port: number): Promise<{ status: number; headers: Headers; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

test("an error before the first content keeps its own status", async () => {
  const refused = await startStreamServer(async function* () {
    yield [{ type: "notice", code: "x", message: "" }];
    await pause(50);
    throw new GatewayError("upstream_overloaded", "busy");
  });
  expect(await get(refused)).toMatchObject({ status: 503, body: "refused" });
});

test("after holdHeader the status line is sent, keep-alives run, and a failure is an event", async () => {
  const port = await startStreamServer(
    async function* () {
      yield [{ type: "notice", code: "x", message: "" }];
      await pause(150);
      throw new GatewayError("upstream_overloaded", "busy");
    },
    { holdHeader: 20, keepAlive: 20, stuckClient: 10_000 },
  );
  const { status, headers, body } = await get(port);
  expect(status).toBe(200);
  expect(headers.get("x-known")).toBe("late");
  expect(body).toMatch(/^(: keep-alive\n\n){2,}error upstream_overloaded$/);
});

test("keep-alives are sent only in silence, each as its own block", async () => {
  const port = await startStreamServer(
    async function* () {
      yield [text("data: a\n\n")];
      await pause(150);
      yield [text("data: b\n\n"), finish];
    },
    { holdHeader: 10_000, keepAlive: 20, stuckClient: 10_000 },
  );
  expect((await get(port)).body).toMatch(/^data: a\n\n(: keep-alive\n\n){2,}data: b\n\n$/);
});

test("a stream of JSON lines has its own content type, keep-alives and error line", async () => {
  const line = (value: object) => `${JSON.stringify(value)}\n`;
  const port = await startStreamServer(
    async function* () {
      await pause(100);
      yield [text("a")];
      throw new GatewayError("upstream_cut", "cut");
    },
    { holdHeader: 20, keepAlive: 20, stuckClient: 10_000 },
    {
      ...encoder,
      contentType: "application/x-ndjson",
      encode: (events) =>
        events.map((event) => (event.type === "text" ? line({ text: event.text }) : "")).join(""),
      encodeError: (error) => line({ error: error.code }),
      encodeKeepAlive: () => line({ text: "" }),
    },
  );
  const { headers, body } = await get(port);
  expect(headers.get("content-type")).toBe("application/x-ndjson");
  const lines = body
    .trimEnd()
    .split("\n")
    .map((each): unknown => JSON.parse(each));
  expect(lines[0]).toEqual({ text: "" });
  expect(lines.slice(-2)).toEqual([{ text: "a" }, { error: "upstream_cut" }]);
});

test("a slow client slows only its own upstream, and its answer does not fill memory", async () => {
  let slowBatches = 0;
  const total = 2_000;
  const chunk = "x".repeat(64 * 1_024);
  const port = await startStreamServer(async function* (response) {
    const slow = response.req.url === "/slow";
    for (let n = 0; n < total; n++) {
      if (slow) slowBatches++;
      yield [text(chunk)];
      if (!slow && n === 50) break;
    }
    yield [finish];
  });
  const slow = connect(port, "127.0.0.1");
  slow.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  slow.pause();
  expect((await get(port)).body.length).toBe(51 * chunk.length);
  await pause(200);
  const batchesBefore = slowBatches;
  await pause(200);
  expect(slowBatches).toBe(batchesBefore);
  expect(slowBatches).toBeLessThan(total / 4);
  slow.destroy();
});

test("a client that disconnects during back-pressure ends the answer", async () => {
  let ended = false;
  const port = await startStreamServer(async function* (response) {
    try {
      while (!response.destroyed) yield [text("x".repeat(64 * 1_024))];
    } finally {
      ended = true;
    }
    yield [finish];
  });
  const client = connect(port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  client.pause();
  await pause(100);
  client.destroy();
  await expect.poll(() => ended).toBe(true);
});

test("a client that reads nothing for stuckClient is disconnected", async () => {
  let ended = false;
  const port = await startStreamServer(
    async function* (response) {
      while (!response.destroyed) yield [text("x".repeat(64 * 1_024))];
      ended = true;
      yield [finish];
    },
    { holdHeader: 10_000, keepAlive: 10_000, stuckClient: 50 },
  );
  const client = connect(port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  client.pause();
  await expect.poll(() => ended).toBe(true);
  client.destroy();
});

test("each write is one chunk with its length in bytes; an HTTP/1.0 client gets the body without chunks", async () => {
  const port = await startStreamServer(async function* () {
    yield [text("月")];
    await pause(20);
    yield [text("moon"), finish];
  });
  const [head, body] = splitResponse(
    await sendRaw(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
  );
  expect(head).toMatch(/transfer-encoding: chunked/i);
  expect(body).toBe("3\r\n月\r\n4\r\nmoon\r\n0\r\n\r\n");
  const [oldHead, oldBody] = splitResponse(await sendRaw(port, "GET / HTTP/1.0\r\n\r\n"));
  expect(oldHead).not.toMatch(/transfer-encoding/i);
  expect(oldBody).toBe("月moon");
});

test("pipelined requests are answered in order", async () => {
  let answers = 0;
  const port = await startStreamServer(async function* () {
    const name = `answer ${++answers}`;
    // The later one is ready first.
    if (answers === 1) await pause(50);
    yield [text(name)];
    yield [finish];
  });
  const request = "GET / HTTP/1.1\r\nHost: a\r\n";
  const response = await sendRaw(port, `${request}\r\n${request}Connection: close\r\n\r\n`);
  expect(response.match(/answer \d\r\n0\r\n\r\n/g)).toEqual([
    "answer 1\r\n0\r\n\r\n",
    "answer 2\r\n0\r\n\r\n",
  ]);
});

function splitResponse(answer: string): [head: string, body: string] {
  const end = answer.indexOf("\r\n\r\n");
  return [answer.slice(0, end), answer.slice(end + 4)];
}

/** Sends raw bytes and resolves to everything received until the server closes the connection. */
function sendRaw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    connect(port, "127.0.0.1")
      .on("data", (chunk) => chunks.push(chunk))
      .on("end", () => resolve(Buffer.concat(chunks).toString("utf8")))
      .on("error", reject)
      .write(request);
  });
}
