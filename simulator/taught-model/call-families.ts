import { asString, type JsonObject } from "../json.js";

/** A call as the model writes it: `json` are its arguments, not necessarily valid. */
export type WrittenCall = { name: string; json: string };

/** The forms in which models write calls: the one asked for, and those of other services and of Kimi's own tokens. */
export const familyNames = [
  "own",
  "tool_call",
  "function_calls",
  "invoke",
  "k2",
  "k2-variants",
  "tool",
  "functions-line",
] as const;

export type Family = (typeof familyNames)[number];

export function isFamily(name: string): name is Family {
  return familyNames.some((known) => known === name);
}

/** Writes calls in a family. `word` is that of the tag of the form asked for. */
export function writeCalls(calls: readonly WrittenCall[], family: Family, word: string): string {
  switch (family) {
    case "own":
      return calls.map((call) => `<call-${word}>${callJson(call)}</call-${word}>`).join("\n");
    case "tool_call":
      return calls.map((call) => `<tool_call>\n${callJson(call)}\n</tool_call>`).join("\n");
    case "tool":
      return calls.map((call) => `<tool>${callJson(call)}</tool>`).join("\n");
    case "function_calls":
      return `<function_calls>\n${calls.map((call) => invokeElement(call)).join("\n")}\n</function_calls>`;
    case "invoke":
      return calls.map((call) => invokeElement(call)).join("\n");
    case "k2":
      return `<|tool_calls_section_begin|>${calls.map((call, index) => k2Call(call, index)).join("")}<|tool_calls_section_end|>`;
    case "k2-variants":
      return writeK2Variant(calls);
    case "functions-line":
      return calls.map(({ name, json }, index) => `functions.${name}:${index}${json}`).join("\n");
  }
}

function callJson({ name, json }: WrittenCall): string {
  return `{"name":${JSON.stringify(name)},"arguments":${json}}`;
}

/** Values that are not strings are written as JSON, as Claude writes them; nothing is escaped. */
function invokeElement({ name, json }: WrittenCall): string {
  const values = Object.entries(parseOrEmpty(json));
  const parameters = values.map(
    ([key, value]) => `<parameter name="${key}">${asString(value) ?? JSON.stringify(value)}</parameter>`,
  );
  return [`<invoke name="${name}">`, ...parameters, "</invoke>"].join("\n");
}

function parseOrEmpty(json: string): JsonObject {
  try {
    return Object(JSON.parse(json));
  } catch {
    return {};
  }
}

function k2Call({ name, json }: WrittenCall, index: number): string {
  return `<|tool_call_begin|>functions.${name}:${index}<|tool_call_argument_begin|>${json}<|tool_call_end|>`;
}

/** Kimi's tokens as they leak: `section` in the singular, without `functions.`, and without the ends, by turns. */
function writeK2Variant(calls: readonly WrittenCall[]): string {
  const names = calls.map(({ name }) => name).join("");
  switch (names.length % 3) {
    case 0:
      return `<|tool_call_section_begin|>${calls.map((call, index) => k2Call(call, index)).join("")}<|tool_call_section_end|>`;
    case 1:
      return `<|tool_calls_section_begin|>${calls
        .map(
          ({ name, json }, index) =>
            `<|tool_call_begin|>${name}:${index}<|tool_call_argument_begin|>${json}<|tool_call_end|>`,
        )
        .join("")}<|tool_calls_section_end|>`;
    default:
      return `<|tool_calls_section_begin|>${calls
        .map(
          ({ name, json }, index) =>
            `<|tool_call_begin|>functions.${name}:${index}<|tool_call_argument_begin|>${json}`,
        )
        .join("<|tool_call_end|>")}`;
  }
}
