import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import { ChatOpenAI } from "@langchain/openai";
import { generateObject, generateText, Output, streamObject } from "ai";
import { Ollama } from "ollama";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { apiKey, type Gateway, type KimiKind, startGateway } from "../gateway.js";

const friend = z.object({ name: z.string(), email: z.string().nullable() });
const Person = z.object({
  name: z.string(),
  kind: z.enum(["human", "robot"]),
  age: z.number().int().nullable(),
  scores: z.array(z.number()),
  address: z.object({ city: z.string(), friends: z.array(friend) }),
});

const kinds: KimiKind[] = ["kimi-web", "kimi-legacy"];
/** What the model does at first. */
const faults = ["", "sim:json-fault=prose-around", "sim:json-fault=wrong-type", "sim:json-fault=only-prose"];
const proseTwice = "Tell me. sim:json-fault=only-prose,9";

/** The simulator answers on request; `kinds` × `faults` would take long for no more to see. */
const rows = [
  ...faults.map((fault) => ["kimi-web", fault] as const),
  ["kimi-legacy", "sim:json-fault=fence"] as const,
  ["kimi-legacy", "sim:json-fault=wrong-type"] as const,
];

function prompt(fault: string): string {
  return `Tell me of somebody. ${fault}`;
}

describe("the openai SDK", () => {
  test.each(rows)("parses a format of zod on %s %s", async (kind, fault) => {
    const { client } = await startGateway({ kind });
    const body = {
      model: "kimi",
      messages: [{ role: "user" as const, content: prompt(fault) }],
      response_format: zodResponseFormat(Person, "person"),
    };
    const whole = await client.chat.completions.parse(body);
    expect(Person.parse(whole.choices[0]?.message.parsed)).toMatchObject({ kind: "human" });
    const streamed = await client.chat.completions.stream(body).finalChatCompletion();
    expect(Person.parse(streamed.choices[0]?.message.parsed)).toMatchObject({ kind: "human" });
  });

  test.each(kinds)("throws if the model answers in prose twice, on %s", async (kind) => {
    const { client, simulator } = await startGateway({ kind });
    const body = {
      model: "kimi",
      messages: [{ role: "user" as const, content: proseTwice }],
      response_format: zodResponseFormat(Person, "person"),
    };
    const retrying = client.withOptions({ maxRetries: 2 }).chat.completions;
    await expect(retrying.parse(body)).rejects.toMatchObject({ status: 502, code: "upstream_protocol" });
    expect(simulator.counts().chats).toBe(2);
    const thinking = { ...body, messages: [{ role: "user" as const, content: `${proseTwice} sim:think` }] };
    await expect(retrying.stream(thinking).finalChatCompletion()).rejects.toMatchObject({
      code: "upstream_protocol",
    });
    expect(simulator.counts().chats).toBe(4);
  });
});

// It would say that a schema is told by its own prompt.
globalThis.AI_SDK_LOG_WARNINGS = false;

describe("the AI SDK", () => {
  const provider = ({ url }: Gateway, supportsStructuredOutputs: boolean) =>
    createOpenAICompatible({ name: "moonbridge", apiKey, baseURL: `${url}/v1`, supportsStructuredOutputs });

  test.each(rows)("generates and streams objects of a schema on %s %s", async (kind, fault) => {
    const gateway = await startGateway({ kind });
    const model = provider(gateway, true)("kimi");
    const request = { model, schema: Person, prompt: prompt(fault), maxRetries: 0 };
    expect((await generateObject(request)).object).toMatchObject({ kind: "human" });
    const streamed = streamObject(request);
    for await (const _ of streamed.partialObjectStream);
    expect(await streamed.object).toMatchObject({ kind: "human" });
    const list = await generateObject({
      model,
      output: "array",
      schema: friend,
      prompt: prompt(fault),
      maxRetries: 0,
    });
    expect(list.object).toHaveLength(2);
    const choice = { model, output: "enum" as const, enum: ["a", "b"], prompt: prompt(fault), maxRetries: 0 };
    expect((await generateObject(choice)).object).toBe("a");
    const output = await generateText({
      model,
      prompt: prompt(fault),
      output: Output.object({ schema: Person }),
    });
    expect(output.output).toMatchObject({ kind: "human" });
  });

  test.each(kinds)("without structured outputs has any JSON, on %s", async (kind) => {
    const content = Array.from('{"name":"Ada","list":[1,2,3]}');
    const gateway = await startGateway({ kind, simulator: { script: () => [{ do: "text", content }] } });
    const model = provider(gateway, false)("kimi");
    const schema = z.object({ name: z.string(), list: z.array(z.number()) });
    const request = { model, schema, prompt: "Tell me.", maxRetries: 0 };
    const expected = { name: "Ada", list: [1, 2, 3] };
    expect((await generateObject(request)).object).toEqual(expected);
    const streamed = streamObject(request);
    const parts: unknown[] = [];
    for await (const part of streamed.partialObjectStream) parts.push(part);
    expect(parts.at(-1)).toEqual(expected);
    expect(await streamed.object).toEqual(expected);
  });

  test("throws if the model answers in prose twice", async () => {
    const gateway = await startGateway();
    for (const supportsStructuredOutputs of [true, false]) {
      const before = gateway.simulator.counts().chats;
      const model = provider(gateway, supportsStructuredOutputs)("kimi");
      // It would send the request again itself, whatever the response says of that.
      const request = { model, schema: Person, prompt: proseTwice, maxRetries: 0 };
      await expect(generateObject(request)).rejects.toMatchObject({ statusCode: 502 });
      expect(gateway.simulator.counts().chats - before).toBe(2);
    }
  });
});

describe("LangChain", () => {
  const methods = ["jsonSchema", "jsonMode", "functionCalling"] as const;

  test.each(kinds.flatMap((kind) => methods.map((method) => [kind, method] as const)))(
    "has structured output on %s by %s",
    async (kind, method) => {
      const gateway = await startGateway({ kind });
      const said = '{"name":"Ada","kind":"robot","age":1,"scores":[],"address":{"city":"x","friends":[]}}';
      const content = method === "jsonMode" ? `As JSON, please. sim:say=${said}` : prompt("");
      const configuration = { baseURL: `${gateway.url}/v1` };
      const model = new ChatOpenAI({ model: "kimi", apiKey, maxRetries: 0, configuration });
      const structured = model.withStructuredOutput(Person, { method, name: "person" });
      const keys = Object.keys(Person.shape);
      expect(Object.keys(await structured.invoke(content))).toEqual(keys);
      const parts: object[] = [];
      for await (const part of await structured.stream(content)) parts.push(part);
      expect(Object.keys(parts.at(-1) ?? {})).toEqual(keys);
    },
  );
});

describe("Ollama's client", () => {
  const start = async (kind: KimiKind) => {
    const gateway = await startGateway({ kind });
    const headers = { authorization: `Bearer ${apiKey}` };
    return { gateway, client: new Ollama({ host: gateway.url, headers }) };
  };

  test.each(rows)("has a schema as format on %s %s", async (kind, fault) => {
    const { client } = await start(kind);
    const messages = [{ role: "user", content: prompt(fault) }];
    const body = { model: "kimi", messages, format: z.toJSONSchema(Person) };
    const whole = await client.chat(body);
    expect(Person.parse(JSON.parse(whole.message.content))).toMatchObject({ kind: "human" });
    let text = "";
    for await (const { message } of await client.chat({ ...body, stream: true })) text += message.content;
    expect(Person.parse(JSON.parse(text))).toMatchObject({ kind: "human" });
    const generated = await client.generate({ model: "kimi", prompt: prompt(fault), format: "json" });
    expect(JSON.parse(generated.response ?? "")).toHaveProperty("answer");
  });

  test.each(kinds)("throws if the model answers in prose twice, on %s", async (kind) => {
    const { client, gateway } = await start(kind);
    const body = { model: "kimi", messages: [{ role: "user", content: proseTwice }], format: "json" };
    await expect(client.chat(body)).rejects.toMatchObject({ status_code: 502 });
    const streamed = async () => {
      for await (const _ of await client.chat({ ...body, stream: true }));
    };
    await expect(streamed()).rejects.toThrow(/format: the model's answer/);
    expect(gateway.simulator.counts().chats).toBe(4);
  });
});

describe("the Responses and Messages APIs", () => {
  test.each(rows)("have their formats kept on %s %s", async (kind, fault) => {
    const { client, url } = await startGateway({ kind });
    const body = { model: "kimi", input: prompt(fault), text: { format: zodTextFormat(Person, "person") } };
    expect((await client.responses.parse(body)).output_parsed).toMatchObject({ kind: "human" });
    const streamed = await client.responses.stream(body).finalResponse();
    expect(streamed.output_parsed).toMatchObject({ kind: "human" });
    const anthropic = new Anthropic({ apiKey, baseURL: url, maxRetries: 0 });
    const message = await anthropic.messages.create({
      model: "kimi",
      max_tokens: 1_000,
      messages: [{ role: "user", content: prompt(fault) }],
      output_config: { format: { type: "json_schema", schema: z.toJSONSchema(Person) } },
    });
    const [block] = message.content;
    expect(JSON.parse(block?.type === "text" ? block.text : "")).toMatchObject({ kind: "human" });
  });

  test("throw if the model answers in prose twice, and name an invalid schema", async () => {
    const { client, url, simulator } = await startGateway();
    const anthropic = new Anthropic({ apiKey, baseURL: url, maxRetries: 0 });
    const respond = (input: string, schema: Record<string, unknown>) =>
      client.responses.create({
        model: "kimi",
        input,
        text: { format: { type: "json_schema", name: "n", schema } },
      });
    const create = (content: string, schema: Record<string, unknown>) =>
      anthropic.messages.create({
        model: "kimi",
        max_tokens: 1_000,
        messages: [{ role: "user", content }],
        output_config: { format: { type: "json_schema", schema } },
      });
    await expect(respond(proseTwice, { type: "object" })).rejects.toMatchObject({ status: 502 });
    await expect(create(proseTwice, { type: "object" })).rejects.toMatchObject({ status: 502 });
    expect(simulator.counts().chats).toBe(4);
    await expect(respond("Hi", { type: "strng" })).rejects.toMatchObject({
      status: 400,
      param: "text.format.schema",
    });
    await expect(create("Hi", { type: "strng" })).rejects.toThrow(
      /output_config\.format: the schema is invalid/,
    );
    expect(simulator.counts().chats).toBe(4);
  });
});
