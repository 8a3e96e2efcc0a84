import type { RequestedFeature, Tool, ToolChoice } from "../../core/types.js";
import { asObject, asText, isObject, type JsonObject } from "../../lib/json.js";
import { readFunctionTool, readToolChoice } from "../function-tools.js";
import { invalidParameter } from "../invalid-parameter.js";
import { customInput, flatName } from "./tool-names.js";

/** A tool as the client offers it: how a call of it is written. */
export type ClientTool = { kind: "function" | "custom"; name: string; namespace?: string };

/** The tools of a request. `byName`: by the names that the model knows. */
export type OfferedTools = {
  tools: Tool[];
  byName: ReadonlyMap<string, ClientTool>;
  /** Whether the search of the service is offered. */
  search: boolean;
  /** The tools that nothing here can run. */
  ignored: RequestedFeature[];
};

type Offered = { tool: Tool; client: ClientTool };

/**
 * Reads `tools`. A custom tool becomes a function that takes one text, one in a namespace a function of the whole name.
 * Tools that OpenAI hosts are ignored, apart from its search. Throws `invalid_request` for a tool without a name or with a
 * schema that is none.
 */
export function readTools(tools: readonly unknown[]): OfferedTools {
  const offered = tools.flatMap((tool, index) => readTool(tool, `tools[${index}]`, undefined));
  return {
    tools: offered.map(({ tool }) => tool),
    byName: new Map(offered.map(({ tool, client }) => [tool.name, client])),
    search: tools.some(isLiveSearch),
    ignored: tools.flatMap((tool, index): RequestedFeature[] => {
      if (isReadable(tool) || isLiveSearch(tool)) return [];
      return [{ parameter: `tools[${index}]`, name: "tools", value: tool, feature: "nothing" }];
    }),
  };
}

/**
 * Whether it is a search of the web as it is now. Codex by default offers one of a cache (`external_web_access: false`),
 * which Kimi does not have.
 */
function isLiveSearch(tool: unknown): boolean {
  const object = asObject(tool);
  return isSearchType(object?.type) && object?.external_web_access !== false;
}

function isSearchType(type: unknown): boolean {
  return asText(type)?.startsWith("web_search") ?? false;
}

function isReadable(tool: unknown): boolean {
  const type = asObject(tool)?.type ?? "function";
  return type === "function" || type === "custom" || type === "namespace";
}

function readTool(value: unknown, path: string, namespace: string | undefined): Offered[] {
  if (!isObject(value)) throw invalidParameter(path, 'expected {type: "function", name, parameters}');
  switch (value.type) {
    case undefined:
    case null:
    case "function":
      return [readFunction(value, path, namespace)];
    case "custom":
      return [readCustom(value, path, namespace)];
    case "namespace":
      return readNamespace(value, path);
    default:
      return [];
  }
}

function readFunction(value: JsonObject, path: string, namespace: string | undefined): Offered {
  const tool = readFunctionTool(value, path);
  const client: ClientTool = { kind: "function", name: tool.name, ...(namespace ? { namespace } : {}) };
  return { tool: { ...tool, name: flatName(tool.name, namespace) }, client };
}

function readCustom(value: JsonObject, path: string, namespace: string | undefined): Offered {
  const custom = asObject(value.custom) ?? value;
  const name = asText(custom.name);
  if (name === undefined) throw invalidParameter(`${path}.name`, "expected the tool's name");
  const input = { type: "string", description: describeFormat(asObject(custom.format)) };
  return {
    tool: {
      name: flatName(name, namespace),
      ...(asText(custom.description) === undefined ? {} : { description: asText(custom.description) ?? "" }),
      parameters: {
        type: "object",
        properties: { [customInput]: input },
        required: [customInput],
        additionalProperties: false,
      },
    },
    client: { kind: "custom", name, ...(namespace ? { namespace } : {}) },
  };
}

/** What the text of a custom tool must be. */
function describeFormat(format: JsonObject | undefined): string {
  const definition = asText(format?.definition);
  if (definition === undefined) return "The whole input, as plain text.";
  const syntax = asText(format?.syntax) ?? "grammar";
  return `The whole input, as plain text that follows this grammar (${syntax}):\n${definition}`;
}

function readNamespace(value: JsonObject, path: string): Offered[] {
  const namespace = asText(value.name);
  if (namespace === undefined) throw invalidParameter(`${path}.name`, "expected the namespace's name");
  const tools = Array.isArray(value.tools) ? value.tools : [];
  return tools.flatMap((tool: unknown, index) =>
    asObject(tool)?.type === "namespace" ? [] : readTool(tool, `${path}.tools[${index}]`, namespace),
  );
}

/** What `tool_choice` asks for. `allowed`: the tools that it leaves. */
export type ReadToolChoice = { choice?: ToolChoice; allowed?: Tool[] };

/** Reads `tool_choice`. Throws `invalid_request` for one that is none, and for a function that `tools` does not have. */
export function readChoice(value: unknown, { tools, search }: OfferedTools): ReadToolChoice {
  const object = asObject(value);
  if (object?.type === "allowed_tools") return readAllowedTools(object, tools);
  if (object && isHosted(object)) return {};
  // Kimi searches by itself: it cannot be made to.
  if (tools.length === 0 && search) return {};
  const choice = readToolChoice(withFlatName(value), { path: "tool_choice", tools });
  return choice === undefined ? {} : { choice };
}

/** A choice of a tool that OpenAI hosts, such as `{type: "web_search"}`. */
function isHosted({ type, name, function: callee }: JsonObject): boolean {
  const isWord = type === "auto" || type === "none" || type === "required" || type === "any";
  return (
    asText(type) !== undefined && !isWord && name === undefined && callee === undefined && type !== "function"
  );
}

function readAllowedTools(choice: JsonObject, tools: readonly Tool[]): ReadToolChoice {
  const { mode, tools: listed } = asObject(choice.allowed_tools) ?? choice;
  if (!Array.isArray(listed)) throw invalidParameter("tool_choice.tools", "expected a list of tools");
  const names = listed.map((entry: unknown) => asText(asObject(withFlatName(entry))?.name));
  const allowed = tools.filter(({ name }) => names.includes(name));
  const read = readToolChoice(mode ?? "auto", { path: "tool_choice.mode", tools: allowed });
  return { choice: read ?? "auto", allowed };
}

/** The choice with the name by which the model knows the tool. */
function withFlatName(value: unknown): unknown {
  const object = asObject(value);
  const name = asText(object?.name);
  const namespace = asText(object?.namespace);
  return object && name !== undefined && namespace !== undefined
    ? { ...object, name: flatName(name, namespace) }
    : value;
}
