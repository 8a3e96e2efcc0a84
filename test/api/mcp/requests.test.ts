import { describe, expect, test } from "vitest";
import { sentTurns } from "../../conversations/dialogue.js";
import { apiKey, startGateway } from "../../gateway.js";
import { postMcp, toolCall } from "./mcp-client.js";

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "x", version: "1" } },
};

const malformed: [body: unknown, headers: Record<string, string>, status: number, message: RegExp][] = [
  ["{", {}, 400, /not valid JSON/],
  ["", {}, 400, /not valid JSON/],
  ["5", {}, 400, /not a valid JSON-RPC message/],
  ['{"hello":1}', {}, 400, /not a valid JSON-RPC message/],
  ["[]", {}, 400, /empty JSON-RPC batch/],
  [Array(101).fill(initialize), {}, 400, /must not exceed 100/],
  [initialize, { accept: "application/json" }, 406, /text\/event-stream/],
  [initialize, { "content-type": "text/plain" }, 415, /application\/json/],
  [toolCall(1, "kimi_ask", { prompt: "x" }), { "mcp-protocol-version": "1999-01-01" }, 400, /2025-06-18/],
  [initialize, { authorization: "" }, 401, /An API key is missing/],
  [initialize, { authorization: "Bearer sk-wrong" }, 401, /key/],
  [initialize, { origin: "https://evil.example" }, 403, /server\.cors/],
  [initialize, { origin: "null" }, 403, /server\.cors/],
];

const wrongInputs: [tool: string, input: unknown, problem: string][] = [
  ["kimi_ask", { prompt: 5 }, "prompt: expected string."],
  ["kimi_ask", { prompt: "" }, "prompt: expected string length greater or equal to 1."],
  ["kimi_ask", { prompt: "hello", max_results: 5 }, "max_results: unexpected property."],
  ["kimi_ask", { prompt: "hello", thinking: "yes" }, "thinking: expected boolean."],
  [
    "kimi_ask",
    { prompt: "hello", conversation_id: "x".repeat(1_000) },
    "conversation_id: expected string length",
  ],
  ["kimi_search", {}, "question: expected required property."],
  ["kimi_read", { source: ["a"], question: "b" }, "source: expected string."],
  ["kimi_search", undefined, "question: expected required property."],
];

/** The JSON-RPC messages of an event stream. */
async function messagesOf(response: Response): Promise<Record<string, unknown>[]> {
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("data: "));
  return lines.map((line) => JSON.parse(line.slice("data: ".length)));
}

describe("POST /mcp", () => {
  test("refuses what is not the protocol with the status and the reason", async () => {
    const gateway = await startGateway();
    for (const [body, headers, status, message] of malformed) {
      const response = await postMcp(gateway, body, headers);
      expect([message, response.status]).toEqual([message, status]);
      expect(await response.json()).toMatchObject({
        jsonrpc: "2.0",
        id: null,
        error: { code: expect.any(Number), message: expect.stringMatching(message) },
      });
    }
    expect(sentTurns(gateway)).toEqual([]);
  });

  test("is open to pages of this machine and of origins in server.cors", async () => {
    const gateway = await startGateway({ server: { cors: ["https://chat.example.org"] } });
    for (const origin of ["http://localhost:6274", "https://chat.example.org"])
      expect((await postMcp(gateway, initialize, { origin })).status).toBe(200);
    expect((await postMcp(gateway, initialize, { origin: "https://chat.example.org.evil" })).status).toBe(
      403,
    );
  });

  test("refuses a key without the scope chat", async () => {
    const gateway = await startGateway({
      keys: [{ name: "admin", key: "sk-CANARY-admin", scopes: ["admin"] }],
    });
    const response = await postMcp(gateway, initialize, { authorization: "Bearer sk-CANARY-admin" });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { data: { code: "insufficient_scope" } } });
  });

  test("answers every call of a batch", async () => {
    const gateway = await startGateway();
    const batch = [1, 2, 3].map((id) => toolCall(id, "kimi_ask", { prompt: `sim:say=number ${id}` }));
    const messages = await messagesOf(await postMcp(gateway, batch));
    expect(messages.map(({ id }) => id).toSorted()).toEqual([1, 2, 3]);
    for (const { id, result } of messages) expect(JSON.stringify(result)).toContain(`number ${id}`);
  });

  test("names the wrong parameter of a call", async () => {
    const gateway = await startGateway();
    for (const [name, input, problem] of wrongInputs) {
      const [message] = await messagesOf(await postMcp(gateway, toolCall(1, name, input)));
      expect(message).toMatchObject({ id: 1, result: { isError: true } });
      expect(JSON.stringify(message)).toContain(problem);
    }
    expect(sentTurns(gateway)).toEqual([]);
  });

  test("refuses a text that is longer than any model's context", async () => {
    const gateway = await startGateway();
    const call = toolCall(1, "kimi_ask", { prompt: "long ".repeat(2_100_000) });
    const [message] = await messagesOf(await postMcp(gateway, call));
    expect(message).toMatchObject({
      result: { isError: true, _meta: { "moonbridge/error": { code: "context_length_exceeded" } } },
    });
    expect(sentTurns(gateway)).toEqual([]);
  });

  test("answers an unknown tool or method with the code of JSON-RPC", async () => {
    const gateway = await startGateway();
    const calls: [object, number][] = [
      [toolCall(1, "kimi_fly", {}), -32_602],
      [{ jsonrpc: "2.0", id: 1, method: "resources/list" }, -32_601],
      [{ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: 5 } }, -32_602],
    ];
    for (const [call, code] of calls) {
      const [message] = await messagesOf(await postMcp(gateway, call));
      expect(message).toMatchObject({ id: 1, error: { code } });
    }
  });
});

test("other methods than POST are refused with a JSON-RPC error", async () => {
  const gateway = await startGateway();
  const headers = { authorization: `Bearer ${apiKey}`, accept: "text/event-stream" };
  for (const [method, status] of [
    ["GET", 405],
    ["DELETE", 405],
    ["PUT", 404],
  ] as const) {
    const response = await fetch(`${gateway.url}/mcp`, { method, headers });
    expect([method, response.status]).toEqual([method, status]);
    expect(response.headers.get("allow")).toBe(status === 405 ? "POST" : null);
    expect(await response.json()).toMatchObject({ jsonrpc: "2.0", error: { message: expect.any(String) } });
  }
});

test("no key, prompt, answer or argument of MCP calls reaches the log", async () => {
  const gateway = await startGateway();
  const canary = (name: string, input: object) => toolCall(1, name, input);
  const bodies = [
    canary("kimi_ask", { prompt: "my CANARY prompt" }),
    canary("kimi_ask", { prompt: "sim:fault=http,500 CANARY" }),
    canary("kimi_ask", { prompt: "CANARY", conversation_id: "CANARY", CANARY: 1 }),
    canary("kimi_ask", { prompt: "CANARY", model: "CANARY" }),
    canary("kimi_read", { source: "http://127.0.0.1:1/CANARY", question: "CANARY" }),
    canary("kimi_read", { source: "CANARY", question: "CANARY" }),
    canary("CANARY", {}),
    { jsonrpc: "2.0", id: "CANARY", method: "CANARY", params: { CANARY: "CANARY" } },
    '{"CANARY',
  ];
  for (const body of bodies)
    await (await postMcp(gateway, body, { "mcp-session-id": "CANARY", "mcp-name": "CANARY" })).text();
  await gateway.stop();
  const log = gateway.logEntries().map((line) => JSON.stringify(line));
  expect(log.filter((line) => line.includes('"/mcp"'))).toHaveLength(bodies.length);
  expect(log.filter((line) => line.includes("CANARY"))).toEqual([]);
  expect(log.join("")).toContain("upstream_unavailable");
});
