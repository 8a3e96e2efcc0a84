import type OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { sentTurns } from "../conversations/dialogue.js";
import { type Gateway, startGateway } from "../gateway.js";

const hello = { model: "kimi", input: "CANARY sim:say=Hello, 月亮 🌙!" };
const sum: OpenAI.Responses.FunctionTool = {
  type: "function",
  name: "add_numbers",
  description: "Adds two numbers.",
  parameters: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" } },
    required: ["a", "b"],
    additionalProperties: false,
  },
  strict: null,
};

/** How many chats the turns used; the first turn opens one. */
function countChats(gateway: Gateway): number {
  return sentTurns(gateway).filter(({ chatId }) => chatId === undefined).length;
}

describe("the official openai SDK's responses", () => {
  test("create returns the whole answer", async () => {
    const { client } = await startGateway();
    const response = await client.responses.create(hello);
    expect(response.output_text).toBe("Hello, 月亮 🌙!");
    expect(response).toMatchObject({ object: "response", status: "completed", error: null, tools: [] });
    expect(response.id).toMatch(/^resp_[0-9a-f]{32}$/);
    expect(response.output).toEqual([
      {
        id: expect.stringMatching(/^msg_/),
        type: "message",
        status: "completed",
        role: "assistant",
        content: [{ type: "output_text", text: "Hello, 月亮 🌙!", annotations: [], logprobs: [] }],
      },
    ]);
    expect(response.usage?.total_tokens).toBe(
      (response.usage?.input_tokens ?? 0) + (response.usage?.output_tokens ?? 0),
    );
    expect(response.usage?.input_tokens).toBeGreaterThan(0);
    expect(response._request_id).toMatch(/^req_/);
  });

  test("the stream helper follows every event to the final response", async () => {
    const { client } = await startGateway();
    const stream = client.responses.stream({ ...hello, reasoning: { effort: "high" } });
    const types: string[] = [];
    for await (const { type } of stream) if (types.at(-1) !== type) types.push(type);
    expect(types).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.reasoning_summary_part.added",
      "response.reasoning_summary_text.delta",
      "response.reasoning_summary_text.done",
      "response.reasoning_summary_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const final = await stream.finalResponse();
    expect(final.output_text).toBe("Hello, 月亮 🌙!");
    expect(final.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    expect(final.output[0]).toMatchObject({ summary: [{ type: "summary_text", text: expect.any(String) }] });
  });

  test("reasoning is asked for by an effort alone", async () => {
    const { client } = await startGateway();
    const { output } = await client.responses.create({ ...hello, reasoning: { summary: "auto" } });
    expect(output.map(({ type }) => type)).toEqual(["message"]);
  });

  test("a stored response is retrieved, with its input, until it is deleted", async () => {
    const { client } = await startGateway();
    const created = await client.responses.create({ ...hello, metadata: { topic: "moon" } });
    const retrieved = await client.responses.retrieve(created.id);
    expect(retrieved).toMatchObject({ id: created.id, metadata: { topic: "moon" }, output: created.output });
    expect(retrieved.output_text).toBe("Hello, 月亮 🌙!");
    const items = await client.responses.inputItems.list(created.id);
    expect(items.data).toMatchObject([{ type: "message", role: "user", content: hello.input }]);
    expect(items.has_more).toBe(false);
    await client.responses.delete(created.id);
    await expect(client.responses.retrieve(created.id)).rejects.toMatchObject({
      status: 404,
      code: "not_found",
    });
  });

  test("store: false keeps nothing that could be named", async () => {
    const { client } = await startGateway();
    const { id, store } = Object(await client.responses.create({ ...hello, store: false }));
    expect(store).toBe(false);
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
    await expect(client.responses.create({ ...hello, previous_response_id: id })).rejects.toMatchObject({
      status: 404,
      code: "previous_response_not_found",
      param: "previous_response_id",
    });
  });

  test("previous_response_id continues after this answer, so that there can be branches", async () => {
    const gateway = await startGateway();
    const { responses } = gateway.client;
    const ask = (input: string, previous_response_id: string | null, instructions: string | null = null) =>
      responses.create({ model: "kimi", input, previous_response_id, instructions });
    const first = await ask("Remember apples.", null, "Be brief.");
    const second = await ask("Remember pears.", first.id);
    const branch = await ask("Remember plums. sim:recall", first.id);
    const end = await ask("And now? sim:recall", second.id);
    expect(branch.output_text).toContain("apples");
    expect(branch.output_text).not.toContain("pears");
    expect(end.output_text).toMatch(/apples[\s\S]*pears/);
    expect(end.output_text).not.toContain("plums");
    expect(countChats(gateway)).toBe(1);
    const [, ofSecond, ofBranch] = sentTurns(gateway);
    expect(ofBranch?.parentId).toBe(ofSecond?.parentId);
  });

  test("a stream that is refused has the status of the refusal", async () => {
    const { client, simulator } = await startGateway();
    simulator.fault({ kind: "http", status: 429, retryAfter: 17 });
    const refused = client.responses.create({ ...hello, stream: true });
    await expect(refused).rejects.toMatchObject({ status: 429, code: "rate_limit_exceeded" });
  });

  test("a stream that breaks off ends with the error's code", async () => {
    const { client } = await startGateway({ simulator: { afterCut: "lost" } });
    const cut = client.responses.stream({ model: "kimi", input: "sim:fault=cut,3 sim:repeat=20" });
    await expect(cut.finalResponse()).rejects.toMatchObject({
      code: "upstream_cut",
      requestID: expect.stringMatching(/^req_/),
    });
  });

  test("a tool loop over items keeps one chat", async () => {
    const gateway = await startGateway();
    const input: OpenAI.Responses.ResponseInput = [
      { role: "user", content: 'Add them.\nsim:call add_numbers {"a":1,"b":2}' },
    ];
    const asked = await gateway.client.responses.create({ model: "kimi", input, tools: [sum], store: false });
    const call = asked.output.find((item) => item.type === "function_call");
    expect(call).toMatchObject({ name: "add_numbers", status: "completed", call_id: expect.any(String) });
    expect(JSON.parse(call?.arguments ?? "")).toEqual({ a: 1, b: 2 });
    input.push(call ?? { role: "user", content: "no call" }, {
      type: "function_call_output",
      call_id: call?.call_id ?? "",
      output: "the sum is 3",
    });
    const answer = await gateway.client.responses.create({
      model: "kimi",
      input,
      tools: [sum],
      store: false,
    });
    expect(answer.output_text).toContain("the sum is 3");
    expect(countChats(gateway)).toBe(1);
  });

  test("a tool loop over previous_response_id keeps one chat, streamed", async () => {
    const gateway = await startGateway();
    const { responses } = gateway.client;
    const shared = { model: "kimi", tools: [sum] };
    const asked = await responses
      .stream({ ...shared, input: 'Add them.\nsim:call add_numbers {"a":1,"b":2}' })
      .finalResponse();
    const call = asked.output.find((item) => item.type === "function_call");
    const answer = await responses
      .stream({
        ...shared,
        previous_response_id: asked.id,
        input: [{ type: "function_call_output", call_id: call?.call_id ?? "", output: "the sum is 3" }],
      })
      .finalResponse();
    expect(answer.output_text).toContain("the sum is 3");
    expect(countChats(gateway)).toBe(1);
  });
});
