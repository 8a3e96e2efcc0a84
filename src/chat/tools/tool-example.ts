import type { Tool } from "../../core/types.js";
import { asObject, type JsonObject, textsIn } from "../../lib/json.js";
import { writeCall } from "./call-form.js";
import { escapeMarkup } from "./escape-markup.js";
import type { ToolAliases } from "./tool-aliases.js";

/**
 * A finished call as the history of a conversation shows it, with a function that is declared: the one that needs fewest
 * arguments, rather one than none. Its values are placeholders, so that no model remembers them as something that happened.
 */
export function writeExample(tools: readonly Tool[], aliases: ToolAliases, word: string): string {
  const [tool] = tools.toSorted((a, b) => exampleCost(a) - exampleCost(b));
  if (!tool) return "";
  const name = aliases.told(tool.name);
  const args = escapeMarkup(JSON.stringify(fillRequired(tool.parameters, 0)));
  return [
    `user: (example) Please use ${name}.`,
    `assistant:\n${writeCall(name, args, word)}`,
    `result of ${name}, call 1 of 1: EXAMPLE_RESULT`,
    "assistant: (example) It returned EXAMPLE_RESULT.",
  ].join("\n\n");
}

function exampleCost({ parameters }: Tool): number {
  const count = textsIn(parameters.required).length;
  return count === 0 ? 2.5 : count;
}

const maxDepth = 3;

function fillRequired(schema: JsonObject, depth: number): JsonObject {
  const properties = asObject(schema.properties) ?? {};
  const required = textsIn(schema.required).map(
    (name) => [name, placeholder(name, properties[name], depth)] as const,
  );
  return Object.fromEntries(required);
}

function placeholder(name: string, property: unknown, depth: number): unknown {
  const schema = asObject(property) ?? {};
  const [value] = Array.isArray(schema.enum) ? schema.enum : [];
  if (value !== undefined) return value;
  if (schema.const !== undefined) return schema.const;
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  switch (types.find((type) => type !== "null")) {
    case "integer":
    case "number":
      return typeof schema.minimum === "number" ? schema.minimum : 1;
    case "boolean":
      return true;
    case "array":
      return [];
    case "object":
      return depth < maxDepth ? fillRequired(schema, depth + 1) : {};
    default:
      return `EXAMPLE_${name.toUpperCase().replace(/[^A-Z0-9]+/g, "_")}`;
  }
}
