import { describe, expect, test } from "vitest";
import { readChoice, readTools } from "../../../src/api/openai-responses/tools.js";

const parameters = { type: "object", properties: {} };
const run = { type: "function", name: "run", description: "Runs.", parameters, strict: null };
const namespace = {
  type: "namespace",
  name: "mcp__notes__",
  tools: [
    { type: "function", name: "read", parameters, strict: true },
    { type: "custom", name: "write" },
  ],
};
const patch = {
  type: "custom",
  name: "patch",
  description: "Changes files.",
  format: { type: "grammar", syntax: "lark", definition: "start: line" },
};

describe("tools", () => {
  test("of every kind become functions, whose calls are written as the client offers them", () => {
    const { tools, byName, search } = readTools([run, namespace, patch]);
    expect(tools).toEqual([
      { name: "run", description: "Runs.", parameters },
      { name: "mcp__notes__read", parameters, strict: true },
      { name: "mcp__notes__write", parameters: expect.any(Object) },
      {
        name: "patch",
        description: "Changes files.",
        parameters: {
          type: "object",
          properties: { input: { type: "string", description: expect.stringContaining("start: line") } },
          required: ["input"],
          additionalProperties: false,
        },
      },
    ]);
    expect(byName.get("mcp__notes__read")).toEqual({
      kind: "function",
      name: "read",
      namespace: "mcp__notes__",
    });
    expect(byName.get("mcp__notes__write")).toMatchObject({ kind: "custom", name: "write" });
    expect(search).toBe(false);
  });

  test("that OpenAI hosts are ignored and reported, apart from its search", () => {
    const { tools, search, ignored } = readTools([
      { type: "web_search_preview", search_context_size: "low" },
      { type: "file_search", vector_store_ids: [] },
      { type: "mcp", server_label: "x" },
    ]);
    expect({ tools, search }).toEqual({ tools: [], search: true });
    expect(ignored.map(({ parameter }) => parameter)).toEqual(["tools[1]", "tools[2]"]);
  });

  test("a search of a cache is not offered", () => {
    const { search, ignored } = readTools([{ type: "web_search", external_web_access: false }]);
    expect(search).toBe(false);
    expect(ignored.map(({ parameter }) => parameter)).toEqual(["tools[0]"]);
  });
});

describe("tool_choice", () => {
  const offered = readTools([run, namespace]);

  test.each([
    [undefined, {}],
    [null, {}],
    ["auto", { choice: "auto" }],
    ["none", { choice: "none" }],
    ["required", { choice: "required" }],
    [{ type: "function", name: "run" }, { choice: { name: "run" } }],
    [{ type: "function", name: "read", namespace: "mcp__notes__" }, { choice: { name: "mcp__notes__read" } }],
    [{ type: "web_search" }, {}],
    [{ type: "mcp", server_label: "x" }, {}],
    [
      { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "run" }] },
      { choice: "required", allowed: [offered.tools[0]] },
    ],
  ])("%j", (choice, expected) => {
    expect(readChoice(choice, offered)).toEqual(expected);
  });

  test("of a function that is not offered is refused", () => {
    expect(() => readChoice({ type: "function", name: "walk" }, offered)).toThrow(
      /no function of the name “walk”/,
    );
  });
});
