import { createOpenAI } from "@ai-sdk/openai";
import { ChatOpenAI } from "@langchain/openai";
import { generateObject, streamObject } from "ai";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { sentTurns } from "../conversations/dialogue.js";
import { helloStream, twoCallsStream } from "../fixtures/moonshot.js";
import { apiKey, type Gateway, startGateway, waitUntil } from "../gateway.js";
import { gatewayTo, startPlatform, stream } from "../upstreams/openai/scripted-platform.js";

const png =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const pdf = Buffer.from("%PDF-1.4\n% CANARY\n%%EOF\n").toString("base64");

/** What Kimi got in the last turn. */
function lastBlocks({ simulator }: Gateway) {
  const chat = simulator.calls.findLast(({ path }) => path.endsWith("ChatService/Chat"));
  return JSON.parse(JSON.stringify(chat?.body)).message.blocks;
}

describe("the openai SDK's responses with content", () => {
  test("a picture and a document reach Kimi as files", async () => {
    const gateway = await startGateway();
    const { output_text } = await gateway.client.responses.create({
      model: "kimi",
      input: [
        {
          role: "user",
          content: [
            { type: "input_text", text: "What is this? sim:say=A dot." },
            { type: "input_image", image_url: `data:image/png;base64,${png}`, detail: "auto" },
            { type: "input_file", filename: "a.pdf", file_data: `data:application/pdf;base64,${pdf}` },
          ],
        },
      ],
    });
    expect(output_text).toBe("A dot.");
    expect(lastBlocks(gateway).filter((block: object) => "file" in block)).toHaveLength(2);
    const uploads = gateway.simulator.calls.filter(({ path }) => path.endsWith("/file/upload"));
    expect(uploads).toHaveLength(2);
  });

  test("an uploaded file is used by its id, and is not uploaded again after previous_response_id", async () => {
    const gateway = await startGateway();
    const { files, responses } = gateway.client;
    const { id } = await files.create({
      file: new File([Buffer.from(pdf, "base64")], "a.pdf"),
      purpose: "user_data",
    });
    const content = [
      { type: "input_text" as const, text: "Read." },
      { type: "input_file" as const, file_id: id },
    ];
    const first = await responses.create({ model: "kimi", input: [{ role: "user", content }] });
    expect(lastBlocks(gateway).filter((block: object) => "file" in block)).toHaveLength(1);
    await responses.create({ model: "kimi", input: "And?", previous_response_id: first.id });
    expect(sentTurns(gateway)[1]).toMatchObject({ text: "And?", chatId: expect.any(String) });
    expect(lastBlocks(gateway).filter((block: object) => "file" in block)).toHaveLength(0);
  });

  test("a search has an item, and its sources are annotations, streamed or not", async () => {
    const { client } = await startGateway();
    const body = {
      model: "kimi",
      input: "search for the moon",
      tools: [{ type: "web_search" as const }],
      include: ["web_search_call.action.sources" as const],
    };
    const whole = await client.responses.create(body);
    const streamed = await client.responses.stream(body).finalResponse();
    for (const { output } of [whole, streamed]) {
      expect(output.find(({ type }) => type === "web_search_call")).toMatchObject({
        action: {
          type: "search",
          query: "search for the moon",
          sources: [
            { type: "url", url: "https://example.org/simulated" },
            { type: "url", url: "https://example.com/simulated" },
          ],
        },
      });
      const [part] = Object(output.at(-1)).content;
      const cited = part.annotations.map((each: { start_index: number; end_index: number }) =>
        part.text.slice(each.start_index, each.end_index),
      );
      expect(cited).toEqual([expect.stringMatching(/The sources are made up\.$/), "Both of them."]);
    }
  });

  test("the client's abort stops Kimi", async () => {
    const { client, simulator } = await startGateway();
    const stream = await client.responses.create({
      model: "kimi",
      input: "sim:slow=20 sim:repeat=1000",
      stream: true,
    });
    for await (const { type } of stream) if (type === "response.output_text.delta") break;
    stream.controller.abort();
    await waitUntil(() => simulator.counts().cancels === 1);
  });
});

describe("an answer in a format", () => {
  const Person = z.object({
    name: z.string(),
    kind: z.enum(["human", "robot"]),
    scores: z.array(z.number()),
  });
  const prompt = "Tell me of somebody. sim:json-fault=prose-around";

  test("is parsed by the openai SDK, streamed or not", async () => {
    const { client } = await startGateway();
    const body = { model: "kimi", input: prompt, text: { format: zodTextFormat(Person, "person") } };
    expect((await client.responses.parse(body)).output_parsed).toMatchObject({ kind: "human" });
    const streamed = await client.responses.stream(body).finalResponse();
    expect(streamed.output_parsed).toMatchObject({ kind: "human" });
  });

  test("is an object of the AI SDK, streamed or not", async () => {
    const { url } = await startGateway();
    const model = createOpenAI({ apiKey, baseURL: `${url}/v1` })("kimi");
    const request = { model, schema: Person, prompt, maxRetries: 0 };
    expect((await generateObject(request)).object).toMatchObject({ kind: "human" });
    const streamed = streamObject(request);
    for await (const _ of streamed.partialObjectStream);
    expect(await streamed.object).toMatchObject({ kind: "human" });
  });

  test("is structured output of LangChain", async () => {
    const { url } = await startGateway();
    const configuration = { baseURL: `${url}/v1` };
    const model = new ChatOpenAI({
      model: "kimi",
      apiKey,
      maxRetries: 0,
      configuration,
      useResponsesApi: true,
    });
    const structured = model.withStructuredOutput(Person, { method: "jsonSchema", name: "person" });
    expect(await structured.invoke(prompt)).toMatchObject({ kind: "human" });
  });

  test("fails the stream if the model never gives it", async () => {
    const { client } = await startGateway();
    const stream = client.responses.stream({
      model: "kimi",
      input: "Tell me. sim:json-fault=only-prose,9",
      text: { format: zodTextFormat(Person, "person") },
    });
    await expect(stream.finalResponse()).rejects.toMatchObject({
      code: "upstream_protocol",
      message: expect.stringContaining("format"),
    });
  });
});

describe("errors of responses that are not streamed have their status and the SDK's class", () => {
  test.each([
    [{ kind: "http", status: 429, retryAfter: 17 }, OpenAI.RateLimitError, "rate_limit_exceeded"],
    [{ kind: "error", code: "unavailable" }, OpenAI.InternalServerError, "upstream_overloaded"],
    [{ kind: "http", status: 403 }, OpenAI.APIError, "account_login_required"],
    [{ kind: "cut", after: 3 }, OpenAI.InternalServerError, "upstream_cut"],
    [
      { kind: "exception", reason: "REASON_TOKEN_LENGTH_TOO_LONG", after: 0 },
      OpenAI.BadRequestError,
      "context_length_exceeded",
    ],
  ] as const)("%j", async (fault, errorClass, code) => {
    const { client, simulator } = await startGateway();
    simulator.fault(fault);
    const error = await client.responses
      .create({ model: "kimi", input: "hi" })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(errorClass);
    expect(error).toMatchObject({ code, requestID: expect.stringMatching(/^req_/) });
  });

  test.each([true, false])("of the request itself, too, stream: %s", async (isStreamed) => {
    const { client, url } = await startGateway();
    const create = (body: object, sender = client) =>
      sender.responses
        .create({ model: "kimi", input: "hi", stream: isStreamed, ...body })
        .catch((thrown: unknown) => thrown);
    const errors = await Promise.all([
      create({ model: "no-such-model" }),
      create({ input: [] }),
      create({ input: 5 }),
      create({ tool_choice: "required" }),
      create({ text: { format: { type: "json_schema", name: "x" } } }),
      create({}, new OpenAI({ apiKey: "sk-wrong", baseURL: `${url}/v1`, maxRetries: 0 })),
    ]);
    expect(errors).toMatchObject([
      { status: 404, code: "model_not_found", param: "model" },
      { status: 400, code: "invalid_request", param: "input" },
      { status: 400, message: "400 input: must be string or array." },
      { status: 400, param: "tool_choice" },
      { status: 400, param: "text.format.schema" },
      { status: 401, code: "invalid_api_key" },
    ]);
  });
});

test("an openai upstream gets the whole conversation, the tools and the format in its own form", async () => {
  const platform = await startPlatform();
  platform.respondWith(stream(...twoCallsStream), stream(...helloStream));
  const { client } = await gatewayTo(platform);
  const shared = {
    model: "kimi-k2.6",
    instructions: "Be brief.",
    tools: [{ type: "function" as const, name: "get_weather", parameters: { type: "object" }, strict: null }],
    text: {
      format: { type: "json_schema" as const, name: "report", schema: { type: "object" }, strict: true },
    },
  };
  const first = await client.responses.create({ ...shared, input: "The weather?" });
  const calls = first.output.flatMap((item) => (item.type === "function_call" ? [item] : []));
  expect(calls).toHaveLength(2);
  const second = await client.responses.create({
    ...shared,
    previous_response_id: first.id,
    input: calls.map(({ call_id }) => ({ type: "function_call_output", call_id, output: "sunny" })),
  });
  expect(second.output_text).toContain("Hello");
  const body = Object(platform.calls[1]?.body);
  expect(body.messages.map(({ role }: { role: string }) => role)).toEqual([
    "system",
    "user",
    "assistant",
    "tool",
    "tool",
  ]);
  expect(body.messages[2].tool_calls.map(({ id }: { id: string }) => id)).toEqual(
    calls.map(({ call_id }) => call_id),
  );
  expect(body).toMatchObject({
    tools: [{ type: "function", function: { name: "get_weather" } }],
    response_format: { type: "json_schema", json_schema: { name: "report", strict: true } },
  });
});
