import type { Tool, ToolChoice } from "../core/types.js";
import { asObject, asText, isObject, type JsonObject } from "../lib/json.js";
import { invalidParameter } from "./invalid-parameter.js";

/**
 * Reads a function that the model may call, in OpenAI's form: `{type: "function", function: {…}}`, or the fields of the
 * function beside `type`, as OpenAI's Responses API and old clients write them. `path` is for error messages. Throws
 * `invalid_request` with the field.
 */
export function readFunctionTool(tool: unknown, path: string): Tool {
  const outer = asObject(tool);
  if (!outer) throw invalidParameter(path, 'expected {type: "function", function: {name, parameters}}');
  const nested = asObject(outer.function);
  const definition = nested ?? outer;
  const place = nested ? `${path}.function` : path;
  const name = asText(definition.name);
  if (name === undefined) throw invalidParameter(`${place}.name`, "expected the function's name");
  const { description, strict } = definition;
  if (description !== undefined && description !== null && typeof description !== "string")
    throw invalidParameter(`${place}.description`, "expected text");
  return {
    name,
    ...(typeof description === "string" && description !== "" ? { description } : {}),
    parameters: readParameters(definition, place),
    ...(typeof strict === "boolean" ? { strict } : {}),
  };
}

/** A function without parameters takes an empty object. */
function readParameters({ parameters, input_schema: schema }: JsonObject, path: string): JsonObject {
  const value = parameters ?? schema;
  if (value === undefined || value === null) return { type: "object", properties: {} };
  const field = value === parameters ? "parameters" : "input_schema";
  if (!isObject(value)) throw invalidParameter(`${path}.${field}`, "expected a JSON schema of an object");
  return value;
}

/**
 * Reads which function the model is to call, in the forms of OpenAI, Mistral (`any`) and Anthropic (`{type, name}`).
 * Undefined if it is not set. Throws `invalid_request` for another form, and for a function that `tools` does not have.
 */
export function readToolChoice(
  choice: unknown,
  { path, tools }: { path: string; tools: readonly Tool[] },
): ToolChoice | undefined {
  const object = asObject(choice);
  const word = object ? object.type : choice;
  switch (word) {
    case undefined:
    case null:
    case "":
      return object && Object.keys(object).length > 0 ? readNamed(object, { path, tools }) : undefined;
    case "auto":
    case "none":
      return word;
    case "required":
    case "any":
      if (tools.length === 0) throw invalidParameter(path, "a call is required, but tools has no function");
      return "required";
    case "function":
    case "tool":
    case "custom":
      if (object) return readNamed(object, { path, tools });
  }
  throw invalidParameter(path, 'expected auto, none, required or {type: "function", function: {name}}');
}

function readNamed(
  choice: JsonObject,
  { path, tools }: { path: string; tools: readonly Tool[] },
): ToolChoice {
  const name = asText(asObject(choice.function)?.name) ?? asText(choice.name);
  if (name === undefined) throw invalidParameter(path, "expected the name of a function");
  if (!tools.some((tool) => tool.name === name))
    throw invalidParameter(path, `tools has no function of the name “${name.slice(0, 64)}”`);
  return { name };
}
