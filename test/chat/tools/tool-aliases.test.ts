import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ToolAliases } from "../../../src/chat/tools/tool-aliases.js";
import type { Tool } from "../../../src/core/types.js";

const declare = (...names: string[]): Tool[] => names.map((name) => ({ name, parameters: {} }));

describe("the names that a model knows", () => {
  test.each([
    ["read_note", "read_note"],
    ["mcp__files__read-file", "mcp__files__read-file"],
    ["read_file", "local_read_file"],
    ["Web_Search", "local_Web_Search"],
    ["browser_navigate", "local_browser_navigate"],
    ["memory_store", "local_memory_store"],
    ["x".repeat(64), "x".repeat(64)],
  ])("%s is told as %s", (name, told) => {
    expect(new ToolAliases(declare(name)).told(name)).toBe(told);
  });

  test.each([
    "文件 读取",
    "files.read",
    "a b",
    "",
    "读",
    "x".repeat(65),
    "shell\n",
    "mcp/read file",
    "😀",
    `browser_${"x".repeat(56)}`,
  ])("%j has an alias that every model can write", (name) => {
    const aliases = new ToolAliases(declare(name, "other"));
    expect(aliases.told(name)).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(aliases.told(name)).not.toBe(name);
    expect(aliases.resolve(aliases.told(name))?.name).toBe(name);
  });

  test("are unique and lead back, whatever the client's names are", () => {
    const name = fc.oneof(
      fc.string({ unit: "binary", maxLength: 70 }),
      fc.stringMatching(/^[a-cA-C_.\- ]{1,4}$/),
      fc.constantFrom(
        "shell",
        "local_shell",
        "read_file",
        "local_read_file",
        "read file",
        "read.file",
        "__proto__",
        "constructor",
      ),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 20 }), fc.nat(20), (names, split) => {
        const earlier = new ToolAliases(declare(...names.slice(0, split)));
        const aliases = new ToolAliases(declare(...names), earlier.renamed);
        const told = names.map((each) => aliases.told(each));
        expect(new Set(told).size).toBe(names.length);
        for (const [index, alias] of told.entries()) {
          expect(aliases.resolve(alias)?.name).toBe(names[index]);
          if (index < split) expect(alias).toBe(earlier.told(names[index] ?? ""));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a name as the model writes it", () => {
  const aliases = new ToolAliases(declare("Read", "read", "get_weather", "shell", "a.b", "listFiles"));

  test.each([
    ["Read", "Read"],
    ["read", "read"],
    ["local_shell", "shell"],
    ["shell", "shell"],
    ["functions.shell", "shell"],
    ["default_api.get_weather", "get_weather"],
    [" get-weather ", "get_weather"],
    ["GetWeather", "get_weather"],
    ["list_files", "listFiles"],
    ["a.b", "a.b"],
    ["READ", undefined],
    ["functions.READ", undefined],
    ["weather", undefined],
    ["functions.", undefined],
    ["__proto__", undefined],
  ])("%j means %j", (written, name) => {
    expect(aliases.resolve(written)?.name).toBe(name);
  });
});
