import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { GatewayError } from "../../../src/core/errors.js";
import { limits } from "../../../src/core/limits.js";
import { BodyMemory, BodyReservation } from "../../../src/server/body/body-memory.js";
import { receiveJsonBody } from "../../../src/server/body/receive-body.js";

/** A server that receives bodies. It answers with their size, or with the error's status and code. */
async function startReceiver({ memory = new BodyMemory(), stallWindow = limits.bodyStallWindow } = {}) {
  const server = createServer(async (request, response) => {
    const controller = new AbortController();
    const reservation = new BodyReservation(memory);
    response.once("close", () => {
      reservation.release();
      controller.abort(new GatewayError("cancelled", "The client left."));
    });
    try {
      const body = await receiveJsonBody(request, { reservation, signal: controller.signal, stallWindow });
      response.end(String(body.length));
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      response.writeHead(error.status, { connection: "close" }).end(error.code);
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Sends the whole body before it reads the response, as many clients do. */
async function send(port: number, chunks: readonly (string | Buffer)[], headers = {}) {
  const request = httpRequest({ port, host: "127.0.0.1", method: "POST", headers, agent: false });
  const response = once(request, "response");
  for (const chunk of chunks) if (!request.write(chunk)) await once(request, "drain");
  request.end();
  const [message] = await response;
  let text = "";
  for await (const chunk of message) text += chunk;
  return `${message.statusCode} ${text}`;
}

/** A connection on which only a part of the body is sent. */
async function sendPart(port: number, length: number, part: string | Buffer) {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  socket.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`);
  socket.write(part);
  let received = "";
  socket.on("data", (data) => {
    received += data;
  });
  return { socket, received: () => received };
}

async function waitUntil(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const megabyte = 1_048_576;

describe("a body is received", () => {
  test("in tiny chunks and without its length", async () => {
    const port = await startReceiver();
    const chunks = Array.from({ length: 3_000 }, (_, index) => `${index},`);
    expect(await send(port, ["[", ...chunks, "1]"])).toBe(`200 ${chunks.join("").length + 3}`);
  });

  test("without its length, beyond what small bodies may take", async () => {
    const port = await startReceiver();
    const half = Buffer.alloc(limits.smallBody, "a");
    expect(await send(port, ['"', half, half, half, '"'])).toBe(`200 ${3 * limits.smallBody + 2}`);
  });
});

describe("a body is refused, and the client that sends it all first gets the response:", () => {
  test.each([
    ["too many values", "{},".repeat(2 * megabyte), "400 invalid_request"],
    ["too many levels", "[".repeat(8 * megabyte), "400 invalid_request"],
    ["too many bytes", Buffer.alloc(limits.requestBody + 1, " "), "413 request_too_large"],
  ])("%s", async (_name, body, expected) => {
    const port = await startReceiver();
    expect(await send(port, [body], { "content-length": Buffer.byteLength(body) })).toBe(expected);
    expect(await send(port, [body])).toBe(expected);
  });
});

describe("while large bodies fill the memory", () => {
  const never = new AbortController().signal;
  const size = 2 * megabyte;
  const sendLarge = (port: number) => send(port, [Buffer.alloc(size, " ")], { "content-length": size });

  async function startFull(options: { maxWait?: number; stallWindow?: number } = {}) {
    const memory = new BodyMemory(limits.requestBody, options.maxWait);
    await memory.large.take(limits.requestBody, never);
    return { memory, port: await startReceiver({ ...options, memory }) };
  }

  test("a small one is received at once, a large one when there is room", async () => {
    const { memory, port } = await startFull();
    const waiting = sendLarge(port);
    await waitUntil(() => memory.large.hasWaiters);
    expect(await send(port, ['"hello"'], { "content-length": 7 })).toBe("200 7");
    expect(await send(port, ['"hello"'])).toBe("200 7");
    expect(memory.large.hasWaiters).toBe(true);
    memory.large.return(size);
    expect(await waiting).toBe(`200 ${size}`);
  });

  test("a large one gets 503 after the longest wait", async () => {
    const { port } = await startFull({ maxWait: 50 });
    expect(await sendLarge(port)).toBe("503 server_busy");
  });

  test("a client that leaves no longer waits, and nothing stays taken", async () => {
    const { memory, port } = await startFull();
    const leaving = await sendPart(port, size, "1");
    await waitUntil(() => memory.large.hasWaiters);
    leaving.socket.destroy();
    await waitUntil(() => !memory.large.hasWaiters);
    memory.large.return(limits.requestBody);
    const half = await sendPart(port, limits.requestBody, "[1,");
    await waitUntil(() => !memory.large.hasRoom(1));
    half.socket.destroy();
    await waitUntil(() => memory.large.hasRoom(limits.requestBody));
  });

  test("one that hardly arrives makes room for those that wait, and only then", async () => {
    const { memory, port } = await startFull({ stallWindow: 50 });
    memory.large.return(limits.requestBody);
    const slow = await sendPart(port, limits.requestBody, "[1,");
    await waitUntil(() => !memory.large.hasRoom(1));
    // Nobody waits, so it may take its time.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(memory.large.hasRoom(1)).toBe(false);
    expect(await sendLarge(port)).toBe(`200 ${size}`);
    expect(slow.received()).toBe("");
  });
});
