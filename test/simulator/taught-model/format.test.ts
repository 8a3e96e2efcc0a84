import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../../simulator/index.js";
import { createInstance } from "../../../simulator/taught-model/json-instance.js";
import { WebClient } from "../web-client.js";

let simulator: Simulator;
let client: WebClient;

beforeAll(async () => {
  simulator = await startSimulator();
  client = new WebClient(simulator.url, simulator.issue());
});
afterAll(() => simulator.close());

const any = "A program reads it. The answer is one JSON object and nothing else.";
const schema = {
  type: "object",
  properties: { name: { type: "string" }, n: { type: "integer", minimum: 3 } },
};
const ofSchema = `A program reads it. It is JSON of this schema and nothing else:\n${JSON.stringify(schema)}`;

async function ask(prompt: string): Promise<string> {
  return (await client.ask(prompt)).text;
}

test("a prompt that ends with a format is answered with JSON, of its schema where it has one", async () => {
  expect(await ask(`Hello\n\n${any}`)).toBe('{"answer":"(Simulated) Hello"}');
  expect(await ask(`Hello\n\n${ofSchema}`)).toBe('{"name":"(Simulated) Hello","n":3}');
});

test("directives stand in front of the format", async () => {
  expect(await ask(`sim:say=[1]\n\n${any}`)).toBe("[1]");
  expect(await ask(`Count sim:repeat=3\n\n${any}`)).toBe("1 2 3 ");
});

test.each([
  "Give me JSON and nothing else.",
  'A program wants it.\n{"type":"object"}',
  "sim:say=A program wants JSON and nothing else",
])("other prompts that speak of JSON are answered as ever: %s", async (prompt) => {
  expect(await ask(prompt)).not.toMatch(/^\{/);
});

describe("faults of JSON", () => {
  test.each([
    ["prose-around", /^\(Simulated\) Of course .*```json\n\{.*\}\n```\n/s],
    ["fence", /^```json\n\{.*\}\n```$/],
    ["trailing-comma", /,\}$/],
    ["number-strings", /"n":"3"/],
    ["wrong-type", /^\{"name":\{"wrong"/],
    ["missing-key", /^\{"n":3\}$/],
    ["extra-key", /"sim-extra":1\}$/],
    ["several", /\}\n\n\{/],
    ["only-prose", /^\(Simulated\) Everything/],
    ["refuse-format", /^\(Simulated\) Sorry/],
    ["half-call", /[^}]$/],
  ])("%s, once", async (fault, faulty) => {
    const prompt = `Hello ${fault} sim:json-fault=${fault}`;
    expect(await ask(`${prompt}\n\n${ofSchema}`)).toMatch(faulty);
    const corrected = `${prompt}\n\n(The program could not read it.)\n\n${ofSchema}`;
    expect(JSON.parse(await ask(corrected))).toEqual({ name: `(Simulated) Hello ${fault}`, n: 3 });
  });

  test("that need a correction are repeated until the prompt says what was wrong", async () => {
    const prompt = `Once more sim:json-fault=only-prose\n\n${ofSchema}`;
    for (let time = 0; time < 3; time++) expect(await ask(prompt)).toMatch(/^\(Simulated\) Everything/);
  });

  test("of an unknown name are refused", async () => {
    await expect(ask(`sim:json-fault=nonsense\n\n${any}`)).rejects.toThrow();
  });
});

test.each([
  [{ enum: ["a", "b"] }, "a"],
  [{ anyOf: [{ type: "null" }, { type: "boolean" }] }, true],
  [{ type: ["null", "integer"], minimum: 7 }, 7],
  [{ type: "array", items: { const: 1 }, minItems: 3 }, [1, 1, 1]],
  [
    { allOf: [{ properties: { a: { type: "null" } } }, { properties: { b: { type: "null" } } }] },
    { a: null, b: null },
  ],
  [{ $defs: { t: { type: "string", minLength: 4 } }, $ref: "#/$defs/t" }, "hi.."],
])("a value of %j", (schemaOf, expected) => {
  expect(createInstance(schemaOf, "hi")).toEqual(expected);
});

test("a value of a recursive schema ends", () => {
  const tree = {
    properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#" } } },
  };
  expect(JSON.stringify(createInstance(tree, "x")).length).toBeLessThan(10_000);
});
