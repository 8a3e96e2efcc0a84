import fc from "fast-check";
import { expect } from "vitest";
import { MessagesBody } from "../../../src/api/anthropic-messages/schema.js";
import { apiKey, type Gateway } from "../../gateway.js";

const names = [
  "user",
  "assistant",
  "system",
  "",
  "Read",
  "any",
  "tool",
  "json_schema",
  "http://127.0.0.1:1/b.png",
];
const blockTypes = [
  ...[
    "text",
    "image",
    "document",
    "search_result",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
  ],
  ...[
    "server_tool_use",
    "web_search_tool_result",
    "tool_reference",
    "tool_addition",
    "tool_removal",
    "compaction",
  ],
  ...[
    "custom",
    "web_search_20250305",
    "bash_20250124",
    "tool_search_tool_bm25",
    "base64",
    "url",
    "file",
    "enabled",
  ],
];

const anything = fc.anything({ maxDepth: 1, maxKeys: 3 });
const value = fc.oneof(fc.constantFrom(...names), fc.constantFrom(...blockTypes), anything);

/** A block, with further blocks inside as deep as `depth`. */
function blockOf(depth: number): fc.Arbitrary<object> {
  const inner = depth === 0 ? anything : blockOf(depth - 1);
  const type = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...blockTypes) },
    { weight: 1, arbitrary: value },
  );
  return fc.record(
    {
      type,
      text: fc.oneof(fc.string(), value),
      name: value,
      id: value,
      thinking: value,
      signature: value,
      tool_use_id: value,
      tool_name: value,
      title: value,
      input: value,
      input_schema: fc.oneof(fc.dictionary(fc.string(), anything, { maxKeys: 2 }), value),
      source: fc.oneof(inner, value),
      data: value,
      media_type: value,
      url: value,
      file_id: value,
      tool: fc.oneof(inner, value),
      definition: fc.oneof(inner, value),
      content: fc.oneof(fc.string(), fc.array(inner, { maxLength: 2 }), value),
      is_error: value,
      defer_loading: value,
    },
    { requiredKeys: ["type"] },
  );
}

const block = blockOf(2);

/** Blocks and fields in their right form, so that many bodies get beyond the first check. */
const rightBlock = fc.oneof(
  fc.record({ type: fc.constant("text"), text: fc.string(), cache_control: anything }),
  fc.record({ type: fc.constant("thinking"), thinking: fc.string(), signature: fc.string() }),
  fc.record({ type: fc.constant("tool_use"), id: fc.string(), name: fc.constant("Read"), input: anything }),
  fc.record({ type: fc.constant("tool_result"), tool_use_id: fc.string(), content: fc.string() }),
  fc.record({ type: fc.constant("server_tool_use"), id: fc.string(), name: fc.string(), input: anything }),
);
const rightContent = fc.oneof(fc.string(), fc.array(rightBlock, { maxLength: 3 }));
const content = fc.oneof(
  { weight: 6, arbitrary: rightContent },
  { weight: 1, arbitrary: fc.oneof(fc.array(block, { maxLength: 2 }), value) },
);
const role = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom("user", "assistant", "system") },
  { weight: 1, arbitrary: value },
);
const message = fc.record({ role, content });
const rightFields = fc.record(
  {
    system: rightContent,
    tools: fc.constant([{ name: "Read", input_schema: { type: "object" } }, { type: "web_search_20250305" }]),
    tool_choice: fc.constantFrom({ type: "auto", disable_parallel_tool_use: true }, { type: "none" }),
    thinking: fc.constantFrom({ type: "adaptive" }, { type: "enabled", budget_tokens: 2_000 }),
    stop_sequences: fc.array(fc.string(), { maxLength: 2 }),
    metadata: fc.record({ user_id: fc.string() }),
    temperature: fc.double({ noNaN: true }),
    context_management: anything,
  },
  { requiredKeys: [] },
);
const randomFields = fc.dictionary(
  fc.constantFrom(...Object.keys(MessagesBody.properties)),
  fc.oneof(value, block, fc.array(block, { maxLength: 2 }), fc.integer()),
  { maxKeys: 2 },
);
const fields = fc.oneof({ weight: 3, arbitrary: rightFields }, { weight: 1, arbitrary: randomFields });
const structured = fc
  .tuple(fc.array(message, { maxLength: 3 }), fields, fc.boolean())
  .map(([messages, more, stream]) => ({
    model: "kimi",
    max_tokens: 100,
    messages: [...messages, { role: "user", content: "Go on." }],
    stream,
    ...more,
  }));
const body = fc.oneof({ weight: 9, arbitrary: structured }, { weight: 1, arbitrary: anything });

/** Sends random bodies to both paths. Throws for a status of 500 or more, and for an error in another form than Anthropic's. */
export async function sendRandomBodies(gateway: Gateway, { count, seed }: { count: number; seed: number }) {
  const statuses = new Map<number, number>();
  const send = async (each: unknown, index: number) => {
    const path = index % 5 === 0 ? "/v1/messages/count_tokens" : "/v1/messages";
    const json = JSON.stringify(each) ?? "";
    const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    const response = await fetch(gateway.url + path, { method: "POST", headers, body: json });
    const text = await response.text();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    if (response.status >= 500) throw new Error(`${response.status} ${text} for ${json.slice(0, 1_000)}`);
    if (response.status === 200) return;
    expect(JSON.parse(text)).toEqual({
      type: "error",
      error: { type: expect.stringMatching(/_error$/), message: expect.stringMatching(/\w/) },
      request_id: response.headers.get("request-id"),
    });
  };
  const bodies = fc.sample(body, { numRuns: count, seed });
  for (let start = 0; start < count; start += 25)
    await Promise.all(bodies.slice(start, start + 25).map((each, index) => send(each, index)));
  return statuses;
}
