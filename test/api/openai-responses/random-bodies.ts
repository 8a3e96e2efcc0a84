import fc from "fast-check";
import { Pool } from "undici";
import { expect, onTestFinished } from "vitest";
import { apiKey, startGateway } from "../../gateway.js";

const types = [
  "message",
  "reasoning",
  "function_call",
  "function_call_output",
  "custom_tool_call",
  "custom_tool_call_output",
  "local_shell_call",
  "web_search_call",
  "item_reference",
  "compaction",
  "compaction_trigger",
];
const partTypes = ["input_text", "output_text", "input_image", "input_file", "refusal"];
const parameters = [
  ...["previous_response_id", "tools", "tool_choice", "reasoning", "text", "include", "metadata", "store"],
  ...[
    "max_output_tokens",
    "temperature",
    "truncation",
    "instructions",
    "stream",
    "background",
    "conversation",
  ],
];

const anything = fc.oneof(fc.anything(), fc.string(), fc.constant(null));
const part = fc.record(
  {
    type: fc.oneof(fc.constantFrom(...partTypes), anything),
    text: fc.oneof(fc.string(), anything),
    image_url: anything,
    file_id: anything,
    file_data: anything,
  },
  { requiredKeys: [] },
);
const content = fc.oneof(fc.string(), fc.array(part, { maxLength: 3 }), anything);
const item = fc.record(
  {
    type: fc.oneof(fc.constantFrom(...types), anything),
    role: fc.oneof(fc.constantFrom("user", "assistant", "developer"), anything),
    id: anything,
    call_id: anything,
    name: fc.oneof(fc.string(), anything),
    namespace: anything,
    content,
    output: content,
    arguments: anything,
    input: anything,
    summary: anything,
    encrypted_content: anything,
  },
  { requiredKeys: [] },
);
const tool = fc.record(
  {
    type: fc.oneof(fc.constantFrom("function", "custom", "namespace", "web_search"), anything),
    name: fc.oneof(fc.string(), anything),
    parameters: fc.oneof(fc.constant({ type: "object" }), anything),
    tools: fc.oneof(fc.array(fc.record({ type: fc.constant("function"), name: fc.string() })), anything),
    format: anything,
  },
  { requiredKeys: [] },
);
const structured = fc
  .record({
    model: fc.constant("kimi"),
    input: fc.oneof(fc.string(), fc.array(item, { maxLength: 5 }), anything),
    tools: fc.option(fc.array(tool, { maxLength: 3 }), { nil: undefined }),
    stream: fc.boolean(),
    more: fc.dictionary(fc.constantFrom(...parameters), anything, { maxKeys: 3 }),
  })
  .map(({ more, ...body }) => JSON.stringify({ ...body, ...more }));
const body = fc.oneof({ arbitrary: structured, weight: 9 }, fc.json(), fc.string());
const path = fc.constantFrom("/v1/responses", "/v1/responses", "/v1/responses", "/v1/responses/compact");

/** Sends this many random bodies: every answer is a whole one, or a 4xx with a message. */
export async function sendRandomBodies(count: number): Promise<void> {
  const gateway = await startGateway({ simulator: { script: () => [{ do: "text", content: ["ok"] }] } });
  const pool = new Pool(gateway.url, { connections: 20 });
  onTestFinished(() => pool.close());
  const statuses = new Map<number, number>();
  const send = async (sent: string, to: string) => {
    const { statusCode, body: received } = await pool.request({
      method: "POST",
      path: to,
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      body: sent,
    });
    const text = await received.text();
    statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    if (statusCode >= 500) throw new Error(`${statusCode} ${text} for ${sent.slice(0, 500)}`);
    if (statusCode >= 400) expect(JSON.parse(text).error.message).toMatch(/\w/);
    else if (text.startsWith("event: "))
      expect(text).toMatch(/event: response\.(completed|incomplete|failed)\n/);
  };
  const samples = fc.sample(fc.tuple(body, path), { numRuns: count, seed: 20_261_129 });
  for (let start = 0; start < samples.length; start += 20)
    await Promise.all(samples.slice(start, start + 20).map(([sent, to]) => send(sent, to)));
  expect(statuses.get(200)).toBeGreaterThan(count / 20);
  expect(statuses.get(400)).toBeGreaterThan(count / 20);
  expect(gateway.logEntries().filter(({ level }) => Number(level) >= 50)).toEqual([]);
}
