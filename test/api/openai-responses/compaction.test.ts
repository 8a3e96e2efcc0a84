import { describe, expect, test } from "vitest";
import { sentTurns } from "../../conversations/dialogue.js";
import { type Gateway, startGateway } from "../../gateway.js";
import { codexHeaders, codexRequest, type Item, inputText, user } from "./codex-requests.js";
import { post, streamEvents } from "./event-stream.js";

const fact = "The harbour of the moon lander has the number 4711.";
const trigger = { type: "compaction_trigger" };

/** A history of a hundred turns, with the fact in the fifth. */
function longHistory(): Item[] {
  return Array.from({ length: 100 }, (_, turn) => [
    user(inputText(turn === 5 ? fact : `Step ${turn} of the work.`)),
    {
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text: `Step ${turn} is done.`, annotations: [] }],
    },
  ]).flat();
}

/** What the model knows of the fact, after a history. */
async function recall(gateway: Gateway, history: readonly Item[]): Promise<string> {
  const input = [...history, user(inputText("What is the number? sim:recall"))];
  const response = await post(gateway, codexRequest(input, { stream: false, tools: [] }));
  return JSON.stringify(await response.json());
}

describe("a history that is compacted", () => {
  test("by a trigger is exactly one sealed item, from which the conversation goes on", async () => {
    const gateway = await startGateway();
    const events = await streamEvents(gateway, codexRequest([...longHistory(), trigger]), codexHeaders);
    expect(events.map(({ type }) => type)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.output_item.done",
      "response.completed",
    ]);
    const item = {
      type: "compaction",
      id: expect.stringMatching(/^cmp_/),
      encrypted_content: expect.stringMatching(/^mb1\.[\w-]+$/),
    };
    expect([events[2]?.item, events[3]?.item]).toEqual([item, item]);
    expect(Object(events[4]?.response)).toMatchObject({
      output: [item],
      usage: { total_tokens: expect.any(Number) },
    });
    expect(JSON.stringify(events)).not.toContain("4711");
    expect(await recall(gateway, [Object(events[3]?.item)])).toContain("4711");
  });

  test("by its own path is the newest messages of the user and the item", async () => {
    const gateway = await startGateway();
    const body = { model: "kimi", input: longHistory(), instructions: "Be brief." };
    const response = await post(gateway, body, { path: "/v1/responses/compact" });
    expect(response.status).toBe(200);
    const { object, output, usage } = Object(await response.json());
    expect(object).toBe("response.compaction");
    expect(usage.input_tokens).toBeGreaterThan(100);
    expect(output.at(-1)).toMatchObject({ type: "compaction", encrypted_content: expect.any(String) });
    expect(output.slice(0, -1)).toMatchObject(
      Array.from({ length: 100 }, () => ({ type: "message", role: "user" })),
    );
    expect(await recall(gateway, [output.at(-1)])).toContain("4711");
  });

  test("after previous_response_id has the whole conversation", async () => {
    const gateway = await startGateway();
    const { responses } = gateway.client;
    const first = await responses.create({ model: "kimi", input: fact });
    const second = await responses.create({ model: "kimi", input: "Go on.", previous_response_id: first.id });
    const body = { model: "kimi", previous_response_id: second.id, input: [trigger] };
    const { output, id } = Object(await (await post(gateway, body)).json());
    expect(output).toMatchObject([{ type: "compaction" }]);
    expect(await recall(gateway, output)).toContain("4711");
    const next = await responses.create({
      model: "kimi",
      input: [output[0], { role: "user", content: "sim:recall" }],
    });
    expect(next.output_text).toContain("4711");
    const after = await responses.create({ model: "kimi", input: "sim:recall", previous_response_id: id });
    expect(after.output_text).toContain("4711");
    expect(sentTurns(gateway).at(-1)?.text).toMatch(/^user: Summary of the conversation so far/);
  });

  test("by the agent itself is an ordinary answer that sees the whole history", async () => {
    const gateway = await startGateway();
    const prompt =
      "You are performing a context checkpoint compaction. Write a handoff summary for the next model.";
    const events = await streamEvents(
      gateway,
      codexRequest([...longHistory(), user(inputText(prompt))], { tools: [] }),
      codexHeaders,
    );
    expect(JSON.stringify(events.at(-1))).toContain("4711");
    expect(sentTurns(gateway)).toHaveLength(1);
  });

  test("continues the chat of the conversation, and tells of its own input alone", async () => {
    const gateway = await startGateway();
    const input: Item[] = [user(inputText(fact))];
    const events = await streamEvents(gateway, codexRequest(input), codexHeaders);
    input.push(
      ...events.flatMap(({ type, item }) => (type === "response.output_item.done" ? [Object(item)] : [])),
    );
    const compacted = await streamEvents(gateway, codexRequest([...input, trigger]), codexHeaders);
    const item: Item = Object(compacted[3]?.item);
    const [, second] = sentTurns(gateway);
    expect(second?.chatId).toEqual(expect.any(String));
    const after = await streamEvents(gateway, codexRequest([item, user(inputText("hi"))]), codexHeaders);
    const usage = (response: unknown) => Object(response).usage.input_tokens;
    expect(usage(after.at(-1)?.response)).toBeLessThan(usage(compacted.at(-1)?.response) + 400);
  });

  test("fails without a summary, and is refused if another server has made it", async () => {
    const gateway = await startGateway({ simulator: { script: () => [{ do: "text", content: " " }] } });
    const whole = await post(gateway, codexRequest([user(inputText("hi")), trigger], { stream: false }));
    expect(whole.status).toBe(502);
    const events = await streamEvents(gateway, codexRequest([user(inputText("hi")), trigger]), codexHeaders);
    expect(events.at(-1)).toMatchObject({ type: "response.failed", response: { output: [] } });
    const foreign = { type: "compaction", encrypted_content: "gAAAAABforeign" };
    const refused = await post(gateway, codexRequest([foreign, user(inputText("hi"))]));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { param: "input[3].encrypted_content" } });
  });
});
