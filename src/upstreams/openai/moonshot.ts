import { GatewayError } from "../../core/errors.js";
import type { Message, Model, Thinking } from "../../core/types.js";
import { asObject, asText, isObject, type JsonObject, objectsIn } from "../../lib/json.js";
import { without } from "./request.js";

/**
 * What Moonshot's `kimi-k*` models refuse or do not document, with the values that ask for nothing special
 * (moonshot-platform.md A.4.1, A.4.3, F.3).
 */
const stripped: Record<string, readonly unknown[]> = {
  temperature: [1],
  top_p: [1, 0.95],
  top_k: [],
  min_p: [0],
  n: [1],
  presence_penalty: [0],
  frequency_penalty: [0],
  repetition_penalty: [1],
  logit_bias: [],
  seed: [],
  logprobs: [false],
  top_logprobs: [0],
  parallel_tool_calls: [true],
  functions: [],
  function_call: ["auto", "none"],
  verbosity: [],
  audio: [],
  user: [],
  metadata: [],
  client_metadata: [],
  store: [false],
  service_tier: ["auto", "default"],
  prompt_cache_retention: [],
  prompt_cache_options: [],
  moderation: [],
  context_management: [],
  output_config: [],
  include: [],
  text: [],
  // Whatever gets here asks for text alone.
  modalities: [["text"]],
};

/** The ways to ask for thinking and for a search; both are asked for in Moonshot's own way. */
const thinkingParameters = [
  "reasoning_effort",
  "thinking",
  "reasoning",
  "enable_thinking",
  "chat_template_kwargs",
];
const searchParameters = ["web_search_options", "enable_search"];

/** What the rules depend on. `thinking` undefined: nothing asks for it. */
export type Settings = { model: Model; thinking: Thinking | undefined; search: boolean };

/** The request as Moonshot's gateway takes it (moonshot-platform.md F). Pictures stay where they are. */
export function moonshotBody(body: JsonObject, settings: Settings): JsonObject {
  const { model, search } = settings;
  const { max_tokens, ...rest } = without(body, [
    ...thinkingParameters,
    ...searchParameters,
    ...(isKimi(model) ? Object.keys(stripped) : []),
    ...Object.keys(body).filter((name) => body[name] === null),
  ]);
  const tools = objectsIn(body.tools).filter(
    (tool) => !isSearchTool(tool) && !(search && body.tool_choice === "none"),
  );
  const thinking = thinkingFields(settings, body);
  const thinks = model.thinking.some((effort) => effort !== "off") && !isDisabled(thinking);
  return {
    ...without(rest, tools.length > 0 ? [] : ["tools", "tool_choice"]),
    messages: objectsIn(body.messages).map((message) => moonshotMessage(message, thinks)),
    ...(max_tokens === undefined ? {} : { max_completion_tokens: rest.max_completion_tokens ?? max_tokens }),
    ...(tools.length > 0 ? { tools: tools.map(moonshotTool) } : {}),
    ...(isObject(rest.response_format) ? { response_format: moonshotFormat(rest.response_format) } : {}),
    ...(isTooHot(body) && !isKimi(model) ? { temperature: 1 } : {}),
    ...thinking,
  };
}

/** The parameters of the request that `moonshotBody` leaves out or cannot honour, without those that ask for nothing. */
export function leftOut(body: JsonObject, settings: Settings): string[] {
  const { model } = settings;
  const isSet = (name: string) => body[name] !== undefined && body[name] !== null;
  const refused = Object.entries(stripped)
    .filter(([name, neutral]) => isSet(name) && !neutral.some((value) => isSame(value, body[name])))
    .map(([name]) => name);
  const unthought = isHonoured(settings) ? [] : thinkingParameters.filter(isSet);
  if (isKimi(model)) return [...refused, ...unthought];
  return [...(isTooHot(body) ? ["temperature"] : []), ...unthought];
}

/** It takes no documents; files for its own extraction are not made of them (moonshot-platform.md A.11). */
export function refuseFiles(messages: readonly Message[]): void {
  for (const part of messages.flatMap(({ content }) => content)) {
    if (part.type !== "file") continue;
    const why = "this model takes no files; send their text, or pictures of their pages";
    throw new GatewayError("invalid_request", `${part.path}: ${why}.`, { param: part.path });
  }
}

function isKimi({ id }: Model): boolean {
  return id.startsWith("kimi-k");
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** OpenAI's scale goes to 2, that of `moonshot-v1` to 1. */
function isTooHot({ temperature }: JsonObject): boolean {
  return typeof temperature === "number" && temperature > 1;
}

/**
 * How hard to think, in the way of the model: an effort where it has several, on and off where it has both, nothing
 * where it has no choice (moonshot-platform.md A.4.2). A search needs thinking off where it can be (A.9.1).
 */
function thinkingFields({ model, thinking, search }: Settings, body: JsonObject): JsonObject {
  const canStop = model.thinking.includes("off");
  const efforts = model.thinking.filter((effort) => effort !== "off");
  if (efforts.length === 0) return {};
  if (canStop && (search || thinking === "off")) return { thinking: { type: "disabled" } };
  if (thinking === undefined || thinking === "off") return {};
  if (efforts.length > 1) return { reasoning_effort: thinking };
  if (!canStop) return {};
  const keep = asObject(body.thinking)?.keep;
  return { thinking: { type: "enabled", ...(keep === undefined ? {} : { keep }) } };
}

function isDisabled({ thinking }: JsonObject): boolean {
  return asObject(thinking)?.type === "disabled";
}

function isHonoured({ model, thinking, search }: Settings): boolean {
  const canStop = model.thinking.includes("off");
  if (thinking === undefined) return true;
  if (thinking === "off") return canStop;
  return model.thinking.some((effort) => effort !== "off") && !(search && canStop);
}

function moonshotMessage(message: JsonObject, thinks: boolean): JsonObject {
  const { reasoning, ...rest } = withoutBlankParts(message);
  if (rest.role === "developer") return { ...rest, role: "system" };
  if (rest.role !== "assistant") return rest;
  const calls = objectsIn(rest.tool_calls).length > 0;
  const thought = [rest.reasoning_content, reasoning].find((value) => typeof value === "string");
  // Inside a tool loop a thinking model wants its reasoning back, be it empty (moonshot-platform.md A.4.2).
  const reasoning_content = thought ?? (calls && thinks ? "" : undefined);
  return {
    ...without(rest, calls && isBlank(rest.content) ? ["content"] : []),
    ...(reasoning_content === undefined ? {} : { reasoning_content }),
  };
}

/** A blank text part is refused (moonshot-platform.md A.5.2). */
function withoutBlankParts(message: JsonObject): JsonObject {
  if (!Array.isArray(message.content) || isBlank(message.content)) return message;
  return { ...message, content: message.content.filter((part: unknown) => !isBlankPart(part)) };
}

function isBlank(content: unknown): boolean {
  if (Array.isArray(content)) return content.every(isBlankPart);
  return content === undefined || content === null || (typeof content === "string" && content.trim() === "");
}

function isBlankPart(part: unknown): boolean {
  return isObject(part) && part.type === "text" && isBlank(part.text);
}

/** Schemas are strict unless they say otherwise, which is the other way round with OpenAI (moonshot-platform.md A.6.1). */
function moonshotTool(tool: JsonObject): JsonObject {
  const called = asObject(tool.function);
  if (!called) return tool;
  const parameters = called.parameters ?? { type: "object", properties: {} };
  return { ...tool, function: { ...called, parameters, strict: called.strict ?? false } };
}

function moonshotFormat(format: JsonObject): JsonObject {
  const schema = asObject(format.json_schema);
  return schema ? { ...format, json_schema: { ...schema, strict: schema.strict ?? false } } : format;
}

function isSearchTool(tool: JsonObject): boolean {
  const type = asText(tool.type) ?? "";
  return (
    type.startsWith("web_search") ||
    (type === "builtin_function" && asObject(tool.function)?.name === "$web_search")
  );
}
