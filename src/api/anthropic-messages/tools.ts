import type { ChatRequest, RequestedFeature, Tool } from "../../core/types.js";
import { asText, type JsonObject } from "../../lib/json.js";
import { readFunctionTool, readToolChoice } from "../function-tools.js";
import { invalidParameter } from "../invalid-parameter.js";
import { printableName } from "../unknown-parameters.js";
import { findClientTool } from "./client-tools.js";
import type { MessagesBody } from "./schema.js";
import { changedTools } from "./tool-changes.js";

type ParsedTools = Pick<ChatRequest, "tools" | "toolChoice" | "parallelToolCalls" | "search"> & {
  requestedFeatures: RequestedFeature[];
};

/** A tool of the request, by what becomes of it. */
type ReadTool =
  | { kind: "function"; tool: Tool; isDeferred: boolean }
  | { kind: "search"; name: string; ignored: RequestedFeature[] }
  | { kind: "tool-search" };

/** Stands for deferred tools in Claude Code's list, and is none itself (clients.md §4.1). */
const placeholderName = "DeferredToolPlaceholder";

/** What a search tool says of its searches, which Kimi's own search does not take. */
const searchSettings = ["max_uses", "allowed_domains", "blocked_domains", "user_location"];

/**
 * Reads tools, and the choice among them. A search tool becomes a search of the upstream. Deferred tools are offered once the
 * messages refer to them. Throws `invalid_request` that names a tool which neither the client nor the upstream runs.
 */
export function parseTools(body: Pick<MessagesBody, "tools" | "tool_choice" | "messages">): ParsedTools {
  const read = (body.tools ?? []).map((tool, index) => readTool(tool, `tools[${index}]`));
  const searches = read.filter((each) => each.kind === "search");
  const { tools, choice } = offeredTools(body, read);
  const { parallel, features } = parseParallelUse(body.tool_choice);
  return {
    ...(tools.length > 0 ? { tools } : {}),
    ...(choice === undefined ? {} : { toolChoice: choice }),
    ...(parallel === undefined ? {} : { parallelToolCalls: parallel }),
    ...(searches.length > 0 ? { search: true } : {}),
    requestedFeatures: [
      ...toolFeatures(body, { tools, choice }),
      ...features,
      ...searches.flatMap(({ ignored }) => ignored),
      ...(searches.length > 0
        ? [{ parameter: "tools", name: "web_search_options", value: body.tools, feature: "search" as const }]
        : []),
    ],
  };
}

function readTool(definition: JsonObject, path: string): ReadTool {
  const type = asText(definition.type) ?? "custom";
  const isDeferred = definition.defer_loading === true;
  if (type === "custom" || type === "function")
    return { kind: "function", tool: readFunctionTool(definition, path), isDeferred };
  if (/^web_search(_|$)/.test(type)) return readSearchTool(definition, path);
  // It finds deferred tools for the model at Anthropic's: here, all of them are offered instead.
  if (/^tool_search_tool(_|$)/.test(type)) return { kind: "tool-search" };
  const tool = findClientTool(definition);
  if (tool) return { kind: "function", tool, isDeferred };
  throw invalidParameter(
    `${path}.type`,
    `“${printableName(type)}” is run by Anthropic's own servers or is not known here; remove it, or offer a function of your own`,
  );
}

function readSearchTool(definition: JsonObject, path: string): ReadTool {
  const set = searchSettings.filter((name) => definition[name] !== undefined && definition[name] !== null);
  const ignored = set.map((name) => ({
    parameter: `${path}.${name}`,
    name,
    value: definition[name],
    feature: "nothing" as const,
  }));
  return { kind: "search", name: asText(definition.name) ?? "web_search", ignored };
}

function offeredTools(
  { tool_choice, messages }: Pick<MessagesBody, "tool_choice" | "messages">,
  read: readonly ReadTool[],
): { tools: Tool[]; choice: ChatRequest["toolChoice"] } {
  const functions = read.filter((each) => each.kind === "function");
  const { referenced, removed, added } = changedTools(messages);
  const chosen = tool_choice?.type === "tool" ? asText(tool_choice.name) : undefined;
  const searchNames = read.flatMap((each) => (each.kind === "search" ? [each.name] : []));
  const offersDeferred = read.some(({ kind }) => kind === "tool-search");
  const declared = functions.filter(
    ({ tool: { name }, isDeferred }) =>
      name !== placeholderName &&
      (!isDeferred || offersDeferred || referenced.has(name) || name === chosen) &&
      !removed.has(name),
  );
  const tools = [...declared.map(({ tool }) => tool), ...added];
  const isServedBySearch =
    searchNames.length > 0 && (tools.length === 0 || searchNames.includes(chosen ?? ""));
  const choice = isServedBySearch ? undefined : readToolChoice(tool_choice, { path: "tool_choice", tools });
  return { tools, choice };
}

function parseParallelUse(choice: MessagesBody["tool_choice"]): {
  parallel?: boolean;
  features: RequestedFeature[];
} {
  const isDisabled = choice?.disable_parallel_tool_use;
  if (typeof isDisabled !== "boolean") return { features: [] };
  const parameter = "tool_choice.disable_parallel_tool_use";
  const feature = { parameter, name: "parallel_tool_calls", value: !isDisabled, feature: "tools" } as const;
  return { parallel: !isDisabled, features: isDisabled ? [feature] : [] };
}

function toolFeatures(
  body: Pick<MessagesBody, "tools" | "tool_choice">,
  { tools, choice }: { tools: readonly Tool[]; choice: ChatRequest["toolChoice"] },
): RequestedFeature[] {
  if (tools.length === 0) return [];
  const offered = { parameter: "tools", name: "tools", value: body.tools, feature: "tools" } as const;
  if (choice === undefined || choice === "auto" || choice === "none") return [offered];
  const value = body.tool_choice;
  return [
    offered,
    { parameter: "tool_choice", name: "tool_choice", value, feature: "tools", isRequired: true },
  ];
}
