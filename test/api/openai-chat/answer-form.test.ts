import { describe, expect, test } from "vitest";
import { parseAnswerForm } from "../../../src/api/openai-chat/answer-form.js";
import type { ChatCompletionBody } from "../../../src/api/openai-chat/schema.js";

const parse = (fields: Record<string, unknown>) => {
  const body: ChatCompletionBody = { messages: [{ role: "user", content: "hi" }], ...fields };
  return parseAnswerForm(body);
};

const schema = { type: "object", properties: { city: { type: "string" } } };
const weather = { name: "weather", description: "The weather.", parameters: schema };
const clock = { name: "clock", parameters: { type: "object", properties: {} } };
const tools = [
  { type: "function", function: weather },
  { type: "function", function: { name: "clock" } },
];

describe("tools", () => {
  test.each([
    ["functions", { tools }, [weather, clock]],
    ["flat functions", { tools: [{ type: "function", ...weather }] }, [weather]],
    ["functions without a type", { tools: [{ function: weather }] }, [weather]],
    ["strict ones", { tools: [{ function: { ...clock, strict: true } }] }, [{ ...clock, strict: true }]],
    [
      "Anthropic's schema name",
      { tools: [{ name: "weather", input_schema: schema }] },
      [{ name: "weather", parameters: schema }],
    ],
  ])("%s are read", (_, fields, expected) => {
    expect(parse(fields)).toEqual({ tools: expected });
  });

  test("old functions are read, one call at a time, since function_call is one", () => {
    const expected = { tools: [weather], parallelToolCalls: false };
    expect(parse({ functions: [weather], parallel_tool_calls: true })).toEqual(expected);
    expect(parse({ functions: [weather], tools: [] })).toEqual(expected);
  });

  test.each([
    ["none", {}],
    ["an empty list", { tools: [] }],
    [
      "a search, which the upstream runs",
      { tools: [{ type: "web_search_preview" }], tool_choice: "required" },
    ],
    [
      "tools of another kind",
      { tools: [{ type: "custom", custom: { name: "x" } }], tool_choice: "required" },
    ],
  ])("there are no functions with %s", (_, fields) => {
    expect(parse(fields)).toEqual({});
  });

  test.each([
    ["tools[1].function.name", { tools: [tools[0], { type: "function", function: {} }] }],
    ["tools[0]", { tools: ["weather"] }],
    ["tools[0].function.parameters", { tools: [{ function: { name: "x", parameters: "none" } }] }],
    ["tools[0].function.description", { tools: [{ function: { name: "x", description: 7 } }] }],
    ["functions[0].name", { functions: [{}] }],
    ["tool_choice", { tools, tool_choice: { type: "function", function: { name: "nothing" } } }],
    ["tool_choice", { tools, tool_choice: "sometimes" }],
    ["tool_choice", { tools, tool_choice: { type: "function" } }],
    ["tool_choice", { tool_choice: "required" }],
    ["function_call", { functions: [weather], function_call: { name: "clock" } }],
    ["response_format.json_schema.schema", { response_format: { type: "json_schema" } }],
    ["tool_choice.allowed_tools.tools", { tools, tool_choice: { type: "allowed_tools" } }],
  ])("a mistake is refused with the path of its field: %s", (param, fields) => {
    expect(() => parse(fields)).toThrow(expect.objectContaining({ code: "invalid_request", param }));
  });
});

test.each([
  ["auto", "auto"],
  ["none", "none"],
  ["required", "required"],
  ["any", "required"],
  [{ type: "any" }, "required"],
  [{ type: "auto" }, "auto"],
  [{ type: "function", function: { name: "clock" } }, { name: "clock" }],
  [{ type: "tool", name: "clock" }, { name: "clock" }],
  [{ name: "clock" }, { name: "clock" }],
  [{}, undefined],
  [null, undefined],
])("the choice %j is read", (choice, expected) => {
  expect(parse({ tools, tool_choice: choice }).toolChoice).toEqual(expected);
});

test("of allowed tools the others are left out", () => {
  const allowed = { mode: "required", tools: [{ type: "function", name: "clock" }] };
  expect(parse({ tools, tool_choice: { type: "allowed_tools", allowed_tools: allowed } })).toEqual({
    tools: [clock],
    toolChoice: "required",
  });
});

test.each([
  [{ type: "text" }, undefined],
  [{ type: "json_object" }, { type: "json" }],
  [{ type: "json_schema", json_schema: { name: "n" } }, { type: "json" }],
  [
    { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
    { type: "json-schema", name: "n", schema, strict: true, path: "response_format.json_schema.schema" },
  ],
  [
    { type: "json_schema", json_schema: { schema } },
    { type: "json-schema", name: "answer", schema, path: "response_format.json_schema.schema" },
  ],
])("the format %j is read", (format, expected) => {
  expect(parse({ response_format: format }).responseFormat).toEqual(expected);
});

test("sampling, limits and parallel calls are read", () => {
  const fields = { temperature: 0, top_p: 0.5, seed: 7, parallel_tool_calls: false };
  expect(parse({ ...fields, max_tokens: 9, max_completion_tokens: 5, stop: ["", "END"] })).toEqual({
    sampling: { temperature: 0, top_p: 0.5, seed: 7 },
    parallelToolCalls: false,
    limits: { maxTokens: 5, stop: ["END"] },
  });
  expect(parse({ stop: "x" }).limits).toEqual({ stop: ["x"] });
  expect(parse({ stop: [], max_tokens: null }).limits).toBeUndefined();
});
