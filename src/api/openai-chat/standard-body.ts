import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { isObject, type JsonObject, keyPath } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { type ClientParameter, findParameter } from "./client-parameters.js";
import { ChatCompletionBody } from "./schema.js";

/** A parameter that is set. `path` is where the client wrote it: `temperature`, or `options.temperature`. */
export type SetParameter = { name: string; path: string; value: unknown };

export type StandardBody = {
  /** Has the parameters of `options` and `extra_body` beside the others, and the targets of those that are renamed. */
  body: ChatCompletionBody;
  /** The same without the parameters that are renamed or that no service has. */
  sent: JsonObject;
  parameters: SetParameter[];
};

/** Objects whose parameters are read as if they stood beside them; the later one wins. */
export const containers = ["options", "extra_body"] as const;

const NestedParameters = Type.Omit(ChatCompletionBody, ["messages", ...containers], {
  additionalProperties: true,
});

/**
 * Brings the parameters of a schema-valid body into OpenAI's form. Those in `options` (Ollama) and `extra_body` (what
 * OpenAI's Python SDK merges itself, sent by programs without it) replace those beside them. Throws `invalid_request`
 * for a nested parameter of the wrong type.
 */
export function toStandardBody(original: ChatCompletionBody): StandardBody {
  const body = { ...original };
  const parametersByName = new Map(setParameters(original, ""));
  for (const container of containers) {
    const nested = original[container];
    if (!nested) continue;
    checkNested(nested, container);
    Object.assign(body, nested);
    for (const [name, parameter] of setParameters(nested, `${container}.`))
      parametersByName.set(name, parameter);
  }
  const parameters = [...parametersByName.values()];
  renameParameters(body, parameters);
  const sent = Object.fromEntries(Object.entries(body).filter(([name]) => isSent(name)));
  return { body, sent, parameters };
}

function setParameters(object: JsonObject, prefix: string): [string, SetParameter][] {
  return Object.entries(object)
    .filter(([name, value]) => value !== undefined && value !== null && !isContainer(name))
    .map(([name, value]) => [name, { name, path: `${prefix}${name}`, value }]);
}

function checkNested(nested: JsonObject, container: string): void {
  const misplaced = ["messages", ...containers].find((name) => Object.hasOwn(nested, name));
  if (misplaced !== undefined)
    throw invalidParameter(`${container}.${misplaced}`, "this belongs beside the other parameters");
  const error = Value.Errors(NestedParameters, nested).First();
  if (!error) return;
  const path = keyPath(error.path);
  const type = findParameter(path)?.type ?? "another type";
  throw invalidParameter(`${container}.${path}`, `expected ${type}`);
}

function isContainer(name: string): boolean {
  return containers.some((container) => container === name);
}

function isSent(name: string): boolean {
  const effect = findParameter(name)?.effect;
  return effect !== "same as" && effect !== "no effect" && !isContainer(name);
}

/** Sets the targets of parameters that are the same as another one, unless that one is set too. */
function renameParameters(body: ChatCompletionBody, parameters: readonly SetParameter[]): void {
  for (const { name, path, value } of parameters) {
    const parameter = findParameter(name);
    if (parameter?.effect !== "same as" || (body[parameter.target] ?? undefined) !== undefined) continue;
    Object.assign(body, { [parameter.target]: convertValue(parameter, value, path) });
  }
}

/** The value in the form of the target; undefined if it is the default. */
export function convertValue(
  { target }: Extract<ClientParameter, { effect: "same as" }>,
  value: unknown,
  path: string,
): unknown {
  switch (target) {
    case "max_tokens":
      // Ollama and llama.cpp: −1 is without a limit, −2 until the context is full.
      return typeof value === "number" && value >= 0 ? value : undefined;
    case "stop":
      return value;
    case "reasoning_effort":
      if (typeof value === "boolean") return value ? "medium" : "none";
      return value === "" ? undefined : value;
    case "response_format":
      if (isObject(value)) return { type: "json_schema", json_schema: { name: "answer", schema: value } };
      if (value === "json") return { type: "json_object" };
      if (value === "") return undefined;
      throw invalidParameter(path, "expected “json” or a JSON schema");
  }
}
