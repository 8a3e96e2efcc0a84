import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createSecureServer } from "node:tls";
import { buildConnector, Pool } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import { fetchResponse, openStream } from "../../../src/upstreams/http/client.js";
import { ResponseStream } from "../../../src/upstreams/http/response-stream.js";
import { UpstreamConnection } from "../../../src/upstreams/http/upstream-connection.js";

const cert = readFileSync(new URL("../../fixtures/secure.test.crt", import.meta.url));
const key = readFileSync(new URL("../../fixtures/secure.test.key", import.meta.url));
const eventStream =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const answer = `${eventStream}4\r\nGood\r\n0\r\n\r\n`;

/** Answers a request; `request` counts from 1 over all connections. */
type Behaviour = (socket: Socket, request: number) => void;

/** A server that calls `behave` once for each request, and a pool of connections to it. */
async function serve(behave: Behaviour, isSecure = false) {
  const seen = { requests: 0, connections: 0 };
  const sockets = new Set<Socket>();
  const onConnection = (socket: Socket) => {
    seen.connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    let received = "";
    socket.on("data", (bytes) => {
      received += bytes;
      if (!received.endsWith("\r\n\r\nprompt")) return;
      received = "";
      seen.requests++;
      behave(socket, seen.requests);
    });
  };
  const server = isSecure ? createSecureServer({ key, cert }, onConnection) : createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const connect = { ...(isSecure ? { ca: cert, servername: "secure.test" } : {}), timeout: 5_000 };
  const factory = (origin: URL) =>
    UpstreamConnection.open(origin, { connect: buildConnector(connect), headersTimeout: 5_000 });
  const pool = new Pool(`http${isSecure ? "s" : ""}://127.0.0.1:${port}`, { factory });
  onTestFinished(async () => {
    await pool.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const host = { service: "Kimi", hostname: "127.0.0.1", pool, prefix: "" };
  return { host, seen };
}

type Host = Awaited<ReturnType<typeof serve>>["host"];

const request = () =>
  ({
    method: "POST",
    path: "/",
    body: "prompt",
    signal: new AbortController().signal,
    idleTimeout: 5_000,
  }) as const;

/** Each way in which the client sends requests; resolves to the text of the answer. */
const ways: Record<string, (host: Host) => Promise<string>> = {
  "a unary call": async (host) => (await fetchResponse(host, request())).body,
  "a stream": async (host) => {
    const stream = await openStream(host, request(), "text/event-stream");
    if (!(stream instanceof ResponseStream)) return stream.body;
    const chunks: Buffer[] = [];
    await stream.pipeTo({ isDone: false, onChunks: (some) => void chunks.push(...some) });
    stream.close(true);
    return Buffer.concat(chunks).toString();
  },
};

/** Lets the end of the answer before be processed, so that its connection is idle. */
const idle = () => new Promise((resolve) => setTimeout(resolve, 20));

/** How the server closes a connection; a TLS socket of Node cannot be reset. */
const closings: [name: string, isSecure: boolean, close: (socket: Socket) => void][] = [
  ["its end", false, (socket) => void socket.end()],
  ["its end", true, (socket) => void socket.end()],
  ["its destruction", false, (socket) => void socket.destroy()],
  ["its destruction", true, (socket) => void socket.destroy()],
  ["a reset", false, (socket) => void socket.resetAndDestroy()],
];

describe.each(Object.entries(ways))("%s", (_way, send) => {
  test.each(closings)(
    "on an idle connection that is closed without an answer is sent once more: %s, TLS: %s",
    async (_name, isSecure, close) => {
      const { host, seen } = await serve(
        (socket, n) => (n === 2 ? close(socket) : socket.write(answer)),
        isSecure,
      );
      expect(await send(host)).toBe("Good");
      await idle();
      expect(await send(host)).toBe("Good");
      expect(seen).toEqual({ requests: 3, connections: 2 });
      await idle();
      expect(await send(host)).toBe("Good");
      expect(seen.connections).toBe(2);
    },
  );

  test("is not sent once more on a new connection, nor a third time", async () => {
    const { host, seen } = await serve((socket, n) => (n === 1 ? socket.write(answer) : socket.destroy()));
    expect(await send(host)).toBe("Good");
    await idle();
    await expect(send(host)).rejects.toMatchObject({ code: "upstream_cut" });
    expect(seen.requests).toBe(3);
    await expect(send(host)).rejects.toMatchObject({ code: "upstream_cut" });
    expect(seen.requests).toBe(4);
  });

  test.each(["H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n", `${eventStream}2\r\nGo`])(
    "is not sent once more if anything of an answer has arrived: %j",
    async (part) => {
      const { host, seen } = await serve((socket, n) => (n === 1 ? socket.write(answer) : socket.end(part)));
      expect(await send(host)).toBe("Good");
      await idle();
      await expect(send(host)).rejects.toMatchObject({ code: "upstream_cut" });
      expect(seen.requests).toBe(2);
    },
  );

  test("fails for a 100 Continue that it did not ask for", async () => {
    const { host } = await serve((socket) => void socket.write(`HTTP/1.1 100 Continue\r\n\r\n${answer}`));
    await expect(send(host)).rejects.toMatchObject({ code: "upstream_cut" });
  });

  test("delivers a body that looks like a 100 Continue as it is", async () => {
    const body = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    const head = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${body.length}\r\n\r\n`;
    const { host } = await serve((socket) => {
      socket.setNoDelay(true).write(head);
      setTimeout(() => socket.write(body), 10);
    });
    expect(await send(host)).toBe(body);
  });
});
