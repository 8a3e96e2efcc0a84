import fc from "fast-check";
import { Pool } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { parameterNames } from "../../src/api/openai-chat/client-parameters.js";
import { apiKey, chatBody, type KimiKind, postChat, startGateway } from "../gateway.js";

const bodyCount = 10_000;

test(`${bodyCount} random request bodies: no 5xx, no crash, and every 4xx has a message`, async () => {
  const gateway = await startGateway({ simulator: { script: () => [{ do: "text", content: ["ok"] }] } });
  const pool = new Pool(gateway.url, { connections: 50 });
  onTestFinished(() => pool.close());

  const content = fc.oneof(
    fc.string(),
    fc.constant(null),
    fc.anything(),
    fc.array(fc.dictionary(fc.string(), fc.anything())),
  );
  const message = fc.record(
    {
      role: fc.oneof(fc.constantFrom("user", "assistant", "system", "tool"), fc.anything()),
      content,
      name: fc.anything(),
      tool_calls: fc.anything(),
    },
    { requiredKeys: [] },
  );
  const parameters = fc.dictionary(fc.constantFrom(...parameterNames), fc.anything(), { maxKeys: 4 });
  const structured = fc
    .tuple(fc.array(message, { maxLength: 3 }), parameters, fc.boolean())
    .map(([messages, more, stream]) => JSON.stringify({ model: "kimi", messages, stream, ...more }));
  const body = fc.oneof(
    structured,
    structured,
    fc.json(),
    fc.string({ unit: "binary" }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );
  const bodies = fc.sample(body, { numRuns: bodyCount, seed: 20_261_124 });

  const statuses = new Map<number, number>();
  const sendBody = async (sent: string | Buffer, index: number) => {
    const { statusCode, body: answer } = await pool.request({
      method: "POST",
      path: index % 4 === 0 ? "/api/chat" : "/v1/chat/completions",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      body: sent,
    });
    const text = await answer.text();
    statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    if (statusCode >= 500) throw new Error(`${statusCode} ${text} for ${String(sent).slice(0, 500)}`);
    if (statusCode < 400) return;
    const { error } = JSON.parse(text);
    expect(error.message ?? error).toMatch(/\w/);
  };
  for (let start = 0; start < bodies.length; start += 50)
    await Promise.all(bodies.slice(start, start + 50).map(sendBody));

  expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(bodyCount);
  expect(statuses.get(400)).toBeGreaterThan(1_000);
  expect(gateway.logEntries().filter((line) => Number(line.level) >= 50)).toEqual([]);
  expect((await postChat(gateway, chatBody("still there?"))).status).toBe(200);
}, 120_000);

const streamTestName =
  "500 random streams from Kimi each end as an error or an answer, and the next request succeeds";

test.each<[kind: KimiKind, concurrency: number]>([
  ["kimi-web", 50],
  ["kimi-legacy", 1],
])(`%s: ${streamTestName}`, async (kind, concurrency) => {
  const frames = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant("raw" as const), frame: fc.dictionary(fc.string(), fc.jsonValue()) }),
      fc.record({ do: fc.constant("bytes" as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
      fc.record({ do: fc.constant("text" as const), content: fc.array(fc.string({ unit: "binary" })) }),
    ),
    { maxLength: 6 },
  );
  const scripts = fc.sample(frames, { numRuns: 500, seed: 7 });
  let next = 0;
  const gateway = await startGateway({
    kind,
    simulator: { script: ({ text }) => (text === "still there?" ? undefined : scripts[next++]) },
    timeouts: { idle: 300, progress: 300 },
  });
  const sendNext = async () => {
    const response = await postChat(gateway, chatBody("nonsense", { stream: true }));
    const body = await response.text();
    expect(response.status === 200 ? body : JSON.parse(body).error.code).toMatch(/\[DONE\]\n\n$|^[a-z_]+$/);
  };
  for (let start = 0; start < scripts.length; start += concurrency)
    await Promise.all(scripts.slice(start, start + concurrency).map(sendNext));
  expect(next).toBe(scripts.length);
  expect(gateway.logEntries().filter((line) => Number(line.level) >= 50)).toEqual([]);
  expect((await postChat(gateway, chatBody("still there?"))).status).toBe(200);
});
