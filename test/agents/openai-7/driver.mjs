// Runs openai 7 against a gateway: the calls named in the JSON of the standard input; prints a JSON line for each.
import { text } from "node:stream/consumers";
import OpenAI, { toFile } from "openai-7";
import { zodResponseFormat, zodTextFormat } from "openai-7/helpers/zod";
import { z } from "zod/v4";

const { baseURL, apiKey, name } = JSON.parse(await text(process.stdin));
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = "kimi";
const Person = z.object({ name: z.string(), age: z.number() });
const question = "Name a person.";
const add = {
  name: "add_numbers",
  description: "Adds two numbers.",
  parameters: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "number" } },
    required: ["a", "b"],
    additionalProperties: false,
  },
};

const calls = {
  "responses.create": () => client.responses.create({ model, input: "sim:say=Hello, 月亮" }),
  "responses.stream": async () => {
    const stream = client.responses.stream({
      model,
      input: "sim:say=Hello, 月亮",
      reasoning: { effort: "high" },
    });
    const types = await typesOf(stream);
    return { types, response: await stream.finalResponse() };
  },
  "responses.parse": () =>
    client.responses.parse({ model, input: question, text: { format: zodTextFormat(Person, "person") } }),
  "responses.retrieve": async () => {
    const { id } = await client.responses.create({ model, input: "sim:say=Kept" });
    const { output_text } = await client.responses.retrieve(id);
    const { data } = await client.responses.inputItems.list(id);
    await client.responses.delete(id);
    return { output_text, data, afterwards: await failureOf(client.responses.retrieve(id)) };
  },
  "responses with a tool": async () => {
    const tools = [{ type: "function", ...add, strict: null }];
    const input = 'Add.\nsim:call add_numbers {"a":1,"b":2}';
    const asked = await client.responses.create({ model, input, tools });
    const { call_id, arguments: args } = asked.output.find(({ type }) => type === "function_call");
    const { a, b } = JSON.parse(args);
    const output = { type: "function_call_output", call_id, output: `the sum is ${a + b}` };
    return client.responses.create({ model, previous_response_id: asked.id, input: [output], tools });
  },
  "responses of a failure": async () => {
    const stream = await client.responses.create({
      model,
      input: "sim:fault=cut,3 sim:repeat=20",
      stream: true,
    });
    return {
      atOnce: await failureOf(client.responses.create({ model, input: "sim:fault=http,429", stream: true })),
      inTheMiddle: await failureOf(typesOf(stream)),
      model: await failureOf(client.responses.create({ model: "nope-1", input: "Hi" })),
    };
  },
  "chat.completions.create": () => client.chat.completions.create({ model, messages: user("sim:say=Hello") }),
  "chat.completions.stream": async () => {
    const stream = client.chat.completions.stream({ model, messages: user("sim:say=Hello, 月亮") });
    const pieces = [];
    stream.on("content", (piece) => pieces.push(piece));
    return { completion: await stream.finalChatCompletion(), content: pieces.join("") };
  },
  "chat.completions.parse": () =>
    client.chat.completions.parse({
      model,
      messages: user(question),
      response_format: zodResponseFormat(Person, "person"),
    }),
  "chat.completions.runTools": async () => {
    const added = [];
    const run = (numbers) => {
      added.push(numbers);
      return `the sum is ${numbers.a + numbers.b}`;
    };
    const tools = [{ type: "function", function: { ...add, function: run, parse: JSON.parse } }];
    const messages = user('Add.\nsim:call add_numbers {"a":1,"b":2}');
    const content = await client.chat.completions.runTools({ model, messages, tools }).finalContent();
    return { added, content };
  },
  files: async () => {
    const file = await toFile(Buffer.from("CANARY words"), "words.txt", { type: "text/plain" });
    const created = await client.files.create({ file, purpose: "user_data" });
    const listed = [];
    for await (const { id } of client.files.list()) listed.push(id);
    const retrieved = await client.files.retrieve(created.id);
    const content = await (await client.files.content(created.id)).text();
    const deleted = await client.files.delete(created.id);
    return { created, listed, retrieved, content, deleted };
  },
  "models.list": async () => {
    const ids = [];
    for await (const { id } of client.models.list()) ids.push(id);
    return { ids, one: await client.models.retrieve(model) };
  },
};

process.stdout.write(`${JSON.stringify({ type: name, data: await calls[name]() })}\n`);

function user(content) {
  return [{ role: "user", content }];
}

/** The types of a stream's events, without repetitions. */
async function typesOf(stream) {
  const types = [];
  for await (const { type } of stream) if (types.at(-1) !== type) types.push(type);
  return types;
}

function failureOf(promise) {
  return promise.then(
    () => "no failure",
    (error) => {
      const { status, code, message, requestID } = error;
      return { class: error.constructor.name, status, code, message, requestID };
    },
  );
}
