import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Progress } from "@modelcontextprotocol/client";
import { describe, expect, onTestFinished, test } from "vitest";
import { sentTurns } from "../../conversations/dialogue.js";
import { type Gateway, startGateway, waitUntil } from "../../gateway.js";
import { callTool, connectMcp, eras, postMcp, toolCall } from "./mcp-client.js";

const otherKey = "sk-CANARY-other";
const keys = [{ name: "other", key: otherKey }];

describe.each(eras)("a client of the revision %s", (era) => {
  test("searches, and gets the answer with its sources", async () => {
    const client = await connectMcp(await startGateway(), { era });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["kimi_search", "kimi_read", "kimi_ask"]);
    const { text, structured } = await callTool(client, "kimi_search", { question: "news sim:search" });
    expect(structured.sources.map(({ url, title }) => [url, title])).toEqual([
      ["https://example.org/simulated", "A made-up page"],
      ["https://example.com/simulated", "Another made-up page"],
    ]);
    expect(structured.answer).toContain("[1](https://example.org/simulated)");
    expect(text).toContain("2. [Another made-up page](https://example.com/simulated)");
  });

  test("goes on in the same chat, and sends only the new message", async () => {
    const gateway = await startGateway();
    const client = await connectMcp(gateway, { era });
    const first = await callTool(client, "kimi_ask", { prompt: "My word is Quintillian." });
    const { conversation_id } = first.structured;
    expect(first.text).toContain(`conversation_id: ${conversation_id}`);
    const second = await callTool(client, "kimi_ask", { prompt: "sim:recall", conversation_id });
    expect(second.structured.answer).toContain("My word is Quintillian.");
    const [opened, continued] = sentTurns(gateway);
    expect(opened?.chatId).toBeFalsy();
    expect(continued?.chatId).toMatch(/\w/);
    expect(continued?.text).toBe("sim:recall");
    expect(second.structured.conversation_id).toBe(conversation_id);
  });

  test("gets progress while Kimi searches and answers", async () => {
    const client = await connectMcp(await startGateway(), { era });
    const progress: Progress[] = [];
    const onprogress = (each: Progress) => progress.push(each);
    await callTool(client, "kimi_search", { question: "news sim:search" }, { onprogress });
    expect(progress.map(({ message }) => message)).toEqual(
      expect.arrayContaining(["Searching: news", "Answering"]),
    );
    expect(progress.map((each) => each.progress)).toEqual(progress.map((_, index) => index + 1));
  });

  test("stops Kimi's answer when it cancels the call", async () => {
    const gateway = await startGateway();
    const client = await connectMcp(gateway, { era });
    const cancel = new AbortController();
    const call = callTool(
      client,
      "kimi_ask",
      { prompt: "sim:repeat=1000 sim:slow=50" },
      { signal: cancel.signal },
    );
    const rejected = expect(call).rejects.toThrow();
    await waitUntil(() => sentTurns(gateway).length === 1);
    cancel.abort();
    await rejected;
    await waitUntil(() => gateway.simulator.calls.some(({ path }) => path.endsWith("/CancelChat")));
  });

  test("gets a failure of Kimi as a result with its code and what to do", async () => {
    const gateway = await startGateway();
    gateway.simulator.fault({ kind: "error", code: "resource_exhausted" }, 20);
    const { isError, text, error } = await callTool(await connectMcp(gateway, { era }), "kimi_ask", {
      prompt: "hello",
    });
    expect(isError).toBe(true);
    expect(error).toMatchObject({ code: expect.any(String), retryable: expect.any(Boolean) });
    expect(text).toMatch(/^\w.*\. \(\w+: trying again .*\)$/);
  });
});

test("a client that closes its request stops Kimi's answer", async () => {
  const gateway = await startGateway();
  const client = await connectMcp(gateway);
  const call = callTool(client, "kimi_ask", { prompt: "sim:repeat=1000 sim:slow=50" });
  call.catch(() => {});
  await waitUntil(() => sentTurns(gateway).length === 1);
  await client.close();
  await waitUntil(() => gateway.simulator.calls.some(({ path }) => path.endsWith("/CancelChat")));
});

test("a conversation of another key, and one that nobody has, are unknown", async () => {
  const gateway = await startGateway({ keys });
  const mine = await callTool(await connectMcp(gateway), "kimi_ask", { prompt: "My word is Quintillian." });
  const theirs = await connectMcp(gateway, { key: otherKey });
  for (const conversation_id of [mine.structured.conversation_id, "conv-nobody"]) {
    const { isError, text, error } = await callTool(theirs, "kimi_ask", {
      prompt: "sim:recall",
      conversation_id,
    });
    expect({ isError, error }).toMatchObject({ isError: true, error: { code: "conversation_not_found" } });
    expect(text).toContain("Leave conversation_id out to begin a new one");
    expect(text).not.toContain("Quintillian");
  }
});

test("only the key and the session of a call can cancel it", async () => {
  const gateway = await startGateway({ keys });
  const prompt = "sim:repeat=1000 sim:slow=50";
  const call = await postMcp(gateway, toolCall(7, "kimi_ask", { prompt }), { "mcp-session-id": "mine" });
  await waitUntil(() => sentTurns(gateway).length === 1);
  const cancel = (requestId: unknown, headers: Record<string, string>) =>
    postMcp(
      gateway,
      { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } },
      { "mcp-session-id": "mine", ...headers },
    );
  const isCancelled = () => gateway.simulator.calls.some(({ path }) => path.endsWith("/CancelChat"));
  await cancel(7, { authorization: `Bearer ${otherKey}` });
  await cancel(7, { "mcp-session-id": "theirs" });
  await cancel("7", {});
  await cancel({ CANARY: 1 }, {});
  expect(gateway.logEntries().filter(({ failure }) => failure)).toEqual([]);
  expect(isCancelled()).toBe(false);
  expect((await cancel(7, {})).status).toBe(202);
  expect(await call.text()).toContain("cancelled");
  await waitUntil(isCancelled);
});

test("the limits of a key hold for calls, and not for what clients ask before", async () => {
  const gateway = await startGateway({
    keys: [
      { name: "slow", key: otherKey, requestsPerMinute: 1 },
      { name: "poor", key: "sk-CANARY-poor", requestsPerDay: 1 },
    ],
  });
  for (const [key, code] of [
    [otherKey, "rate_limited"],
    ["sk-CANARY-poor", "budget_exceeded"],
  ]) {
    const client = await connectMcp(gateway, { key: key ?? "" });
    await client.listTools();
    expect((await callTool(client, "kimi_ask", { prompt: "one" })).isError).toBe(false);
    const second = await callTool(client, "kimi_ask", { prompt: "two" });
    expect(second).toMatchObject({ isError: true, error: { code } });
  }
});

describe("kimi_read", () => {
  test("sends a document behind a link along as a file", async () => {
    const gateway = await startGateway({ files: { allowPrivateLinks: true } });
    const source = await serve("text/plain", "The harbour master is Quintillian.");
    const { structured } = await callTool(await connectMcp(gateway), "kimi_read", {
      source,
      question: "sim:recall=Quintillian",
    });
    expect(structured.answer).toContain("The harbour master is Quintillian.");
  });

  test("leaves a web page to Kimi's search", async () => {
    const gateway = await startGateway({ files: { allowPrivateLinks: true } });
    const source = await serve("text/html", "<html><body>Hello</body></html>");
    await callTool(await connectMcp(gateway), "kimi_read", { source, question: "What does it say?" });
    expect(sentTurns(gateway)[0]?.text).toBe(`What does it say?\n\n${source}`);
  });

  test("reads an uploaded file of its own key only", async () => {
    const gateway = await startGateway({ keys });
    const file = new File(["The harbour master is Quintillian."], "harbour.txt", { type: "text/plain" });
    const { id } = await gateway.client.files.create({ file, purpose: "user_data" });
    const input = { source: id, question: "sim:recall=Quintillian" };
    const mine = await callTool(await connectMcp(gateway), "kimi_read", input);
    expect(mine.structured.answer).toContain("The harbour master is Quintillian.");
    const theirs = await callTool(await connectMcp(gateway, { key: otherKey }), "kimi_read", input);
    expect(theirs).toMatchObject({ isError: true, error: { code: "invalid_request" } });
  });

  test("refuses links into private networks, and over HTTP the paths of files", async () => {
    const gateway = await startGateway();
    const client = await connectMcp(gateway);
    for (const [source, code, reason] of [
      ["http://127.0.0.1:9/secret", "link_forbidden", "private network"],
      ["http://169.254.169.254/latest/meta-data", "link_forbidden", "is not fetched"],
      ["/etc/passwd", "invalid_request", "path of a file"],
      ["file:///etc/passwd", "invalid_request", "path of a file"],
    ] as const) {
      const called = await callTool(client, "kimi_read", { source, question: "what?" });
      expect(called).toMatchObject({ isError: true, error: { code } });
      expect(called.text).toMatch(/^source: /);
      expect(called.text).toContain(reason);
    }
    expect(sentTurns(gateway)).toEqual([]);
  });
});

test("a hundred calls at once are answered, or told that the account is busy", async () => {
  const gateway: Gateway = await startGateway({ concurrency: 8, queue: { depth: 20 } });
  const client = await connectMcp(gateway);
  const results = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      callTool(client, "kimi_ask", { prompt: `number ${index} sim:repeat=4 sim:slow=100` }),
    ),
  );
  const failed = results.filter(({ isError }) => isError);
  expect(results.filter(({ isError }) => !isError).length).toBeGreaterThanOrEqual(20);
  expect(failed.length).toBeGreaterThan(0);
  for (const { error } of failed) expect(error).toMatchObject({ code: "account_busy", retryable: true });
});

/** The address of one document. */
async function serve(type: string, content: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", type).end(content);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}/document`;
}
