import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { host, openAnswer } from "../../../src/upstreams/http/client.js";
import { AnswerStream } from "../../../src/upstreams/http/response-stream.js";

/** A server that says a lot, waits until it is told to, and then ends as it likes. */
async function talker(end: (response: ServerResponse) => void, patience = 1_000) {
  const open: ServerResponse[] = [];
  let connections = 0;
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("x".repeat(5_000));
    open.push(response);
  });
  server.on("connection", () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const to = host("Kimi", `http://127.0.0.1:${(server.address() as AddressInfo).port}`, {});
  onTestFinished(async () => {
    await to.pool.destroy();
    server.closeAllConnections();
    server.close();
  });

  /** Reads what is said, lets the end come only then, and closes. */
  async function listen(): Promise<void> {
    const signal = new AbortController().signal;
    const stream = await openAnswer(
      to,
      { method: "GET", path: "/", signal, silence: 10_000 },
      "text/event-stream",
    );
    if (!(stream instanceof AnswerStream)) throw new Error("no stream");
    let heard = 0;
    await stream.read({
      get isOver() {
        return heard >= 5_000;
      },
      hear: (chunks) => {
        heard += Buffer.concat(chunks).length;
        return undefined;
      },
    });
    stream.close(true);
    const gone = stream.gone(patience);
    for (const response of open.splice(0)) end(response);
    await gone;
  }
  return { listen, connections: () => connections };
}

test("an answer whose end comes after its last word leaves the connection to the next", async () => {
  const { listen, connections } = await talker((response) => response.end());
  for (let answer = 0; answer < 20; answer++) await listen();
  // The pool opens a second one where it is asked in the moment in which the first becomes free.
  expect(connections()).toBeLessThanOrEqual(2);
});

test("one that never ends, or has much to say after its end, costs its connection", async () => {
  for (const end of [() => {}, (response: ServerResponse) => response.end("y".repeat(100_000))]) {
    const { listen, connections } = await talker(end, 50);
    for (let answer = 0; answer < 3; answer++) await listen();
    expect(connections()).toBeGreaterThanOrEqual(3);
  }
});
