import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createHost, openStream } from "../../../src/upstreams/http/client.js";
import { ResponseStream } from "../../../src/upstreams/http/response-stream.js";

/** A server that streams 5,000 bytes and ends the response with `end` once they were read. */
async function startStreamServer(end: (response: ServerResponse) => void, gracePeriod = 1_000) {
  const openResponses: ServerResponse[] = [];
  let connections = 0;
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("x".repeat(5_000));
    openResponses.push(response);
  });
  server.on("connection", () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = createHost("Kimi", `http://127.0.0.1:${(server.address() as AddressInfo).port}`, {});
  onTestFinished(async () => {
    await host.pool.destroy();
    server.closeAllConnections();
    server.close();
  });

  /** Reads the 5,000 bytes, then ends the response and closes the stream. */
  async function readAnswer(): Promise<void> {
    const signal = new AbortController().signal;
    const stream = await openStream(
      host,
      { method: "GET", path: "/", signal, idleTimeout: 10_000 },
      "text/event-stream",
    );
    if (!(stream instanceof ResponseStream)) throw new Error("no stream");
    let receivedBytes = 0;
    await stream.pipeTo({
      get isDone() {
        return receivedBytes >= 5_000;
      },
      onChunks: (chunks) => {
        receivedBytes += Buffer.concat(chunks).length;
        return undefined;
      },
    });
    stream.close(true);
    const ended = stream.waitForEnd(gracePeriod);
    for (const response of openResponses.splice(0)) end(response);
    await ended;
  }
  return { readAnswer: readAnswer, connections: () => connections };
}

test("reuses the connection if the end of a response comes after its last data", async () => {
  const { readAnswer, connections } = await startStreamServer((response) => response.end());
  for (let answer = 0; answer < 20; answer++) await readAnswer();
  // The pool may open a second connection for a request just before the first becomes free.
  expect(connections()).toBeLessThanOrEqual(2);
});

test("closes the connection if a response never ends, or sends much more after the stream was closed", async () => {
  for (const end of [() => {}, (response: ServerResponse) => response.end("y".repeat(100_000))]) {
    const { readAnswer, connections } = await startStreamServer(end, 50);
    for (let answer = 0; answer < 3; answer++) await readAnswer();
    expect(connections()).toBeGreaterThanOrEqual(3);
  }
});
