import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { readBlindCases } from "./blind-cases.js";

const word = "7f3k";
const cases = readBlindCases(word);
const required = cases.filter(({ proposed }) => !proposed);

test("the blind corpus has at least 300 cases, each with a name of its own", () => {
  expect(required.length).toBeGreaterThanOrEqual(300);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

test("three cases in five name a public report of such an output", () => {
  const seen = required.filter(({ note }) => /seen: [\w.-]+\/[\w.-]+#\d+/.test(note ?? ""));
  expect(seen.length / required.length).toBeGreaterThanOrEqual(0.6);
});

test("every expected call is one of a declared function, with arguments that fit its schema", () => {
  const ajv = new Ajv({ strict: false });
  for (const { name, tools, expect: expected } of cases) {
    for (const call of expected.calls) {
      const tool = tools.find((candidate) => candidate.name === call.name);
      expect(ajv.validate(tool?.parameters ?? false, call.arguments), name).toBe(true);
    }
  }
});

test("traps and corrections leave the output as it is and have no calls; cut streams have none either", () => {
  for (const { name, output, cut, expect: expected } of cases) {
    if (expected.trap || expected.correction)
      expect([expected.text, expected.calls], name).toEqual([output, []]);
    if (cut) expect([expected.calls, output.startsWith(expected.text)], name).toEqual([[], true]);
  }
});

test("a clean call in the form asked for is valid JSON with the expected name and arguments", () => {
  const clean = required.filter(
    ({ file, expect: expected }) => file === "own-form.json" && !expected.repairable,
  );
  for (const { name, output, expect: expected } of clean) {
    const calls = [
      ...output.matchAll(new RegExp(`<call-${word}>(.*?)</call-${word}>(?=\\s*(?:<call|\`|~|$))`, "gs")),
    ];
    expect(calls, name).toHaveLength(expected.calls.length);
    for (const [index, [, json = ""]] of calls.entries()) {
      expect(JSON.parse(json).arguments, name).toEqual(expected.calls[index]?.arguments);
    }
  }
});

test("the text before a call is the beginning of the output, without white space at its end", () => {
  for (const { name, output, cut, expect: expected } of cases) {
    if (expected.calls.length === 0 || cut) continue;
    expect(output.trimStart().startsWith(expected.text), name).toBe(true);
    expect(expected.text, name).toBe(expected.text.trimEnd());
  }
});

test("repetitions make arguments of up to 100 KB", () => {
  const longest = Math.max(...cases.map(({ output }) => output.length));
  expect(longest).toBeGreaterThan(90_000);
  expect(cases.filter(({ output }) => /«\d/.test(output))).toEqual([]);
});
