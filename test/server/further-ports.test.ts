import { createServer } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { apiKey, chatBody, contentOf, parseChunks, startGateway } from "../gateway.js";

/** Starts a gateway with a further port; resolves to it and to the further port's URL. */
async function startWithFurtherPort(server: Record<string, unknown> = {}) {
  const gateway = await startGateway({ server: { alsoListen: [0], ...server } });
  const [furtherUrl = ""] = gateway.furtherUrls;
  expect(furtherUrl).not.toBe(gateway.url);
  return { gateway, furtherUrl };
}

function stream(url: string, text: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(chatBody(text, { stream: true })),
  });
}

test("every port answers, and by the same rules", async () => {
  const { gateway, furtherUrl } = await startWithFurtherPort();
  for (const url of [gateway.url, furtherUrl]) {
    expect(contentOf(parseChunks(await (await stream(url, "sim:repeat=3")).text()))).toBe("1 2 3 ");
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
  }
  const { port } = new URL(furtherUrl);
  const malformed = await new Promise<string>((resolve) => {
    let received = "";
    connect(Number(port), "127.0.0.1")
      .on("data", (data) => {
        received += data;
      })
      .on("close", () => resolve(received))
      .write("no HTTP\r\n\r\n");
  });
  expect(malformed).toMatch(/^HTTP\/1\.1 400 .*"code":"invalid_request"/s);
});

test("at shutdown a stream at a further port may finish, and idle connections do not hold it up", async () => {
  const { gateway, furtherUrl } = await startWithFurtherPort();
  const idle = connect(Number(new URL(furtherUrl).port), "127.0.0.1");
  const response = await stream(furtherUrl, "sim:slow=20 sim:repeat=30");
  const stopped = gateway.stop();
  expect(contentOf(parseChunks(await response.text()))).toContain("30");
  await stopped;
  await expect(fetch(furtherUrl)).rejects.toThrow();
  idle.destroy();
});

test("at shutdown a stream at a further port that does not finish in time ends with an error event", async () => {
  const { gateway, furtherUrl } = await startWithFurtherPort({ shutdownSeconds: 0 });
  const response = await stream(furtherUrl, "sim:slow=20 sim:repeat=5000");
  const stopped = gateway.stop();
  expect(parseChunks(await response.text()).at(-1)).toMatchObject({ error: { code: "shutting_down" } });
  await stopped;
});

test("a further port that is in use fails the start, and frees the main port", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const taken = typeof address === "object" && address ? address.port : 0;
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
  const freeAddress = free.address();
  const port = typeof freeAddress === "object" && freeAddress ? freeAddress.port : 0;
  await new Promise((resolve) => free.close(resolve));
  await expect(startGateway({ server: { port, alsoListen: [taken] } })).rejects.toMatchObject({
    code: "EADDRINUSE",
    port: taken,
  });
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  other.close();
});
