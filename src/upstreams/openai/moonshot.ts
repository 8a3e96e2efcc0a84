import { GatewayError } from "../../core/errors.js";
import type { Message, Model, RequestedFeature, Thinking } from "../../core/types.js";
import { asObject, asText, isObject, type JsonObject, objectsIn } from "../../lib/json.js";
import { omitKeys } from "./request.js";

/**
 * Parameters that Moonshot's `kimi-k*` models refuse or do not document, each with its neutral values
 * (moonshot-platform.md A.4.1, A.4.3, F.3).
 */
const unsupportedParameters: Record<string, readonly unknown[]> = {
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
  // `src/api` refuses every other modality.
  modalities: [["text"]],
};

/** Parameters that request thinking or a search; both are replaced by Moonshot's own. */
const thinkingParameters = [
  "reasoning_effort",
  "thinking",
  "reasoning",
  "enable_thinking",
  "chat_template_kwargs",
  "thinking_budget",
  "thinking_token_budget",
];
const searchParameters = [
  "web_search_options",
  "enable_search",
  "web_search",
  "search_parameters",
  "plugins",
  "features",
];

/** The settings of a request on which Moonshot's rules depend. `thinking` undefined: not requested. */
export type MoonshotSettings = { model: Model; thinking: Thinking | undefined; search: boolean };

/** The request body as Moonshot's gateway accepts it (moonshot-platform.md F). Images are left as they are. */
export function moonshotBody(body: JsonObject, settings: MoonshotSettings): JsonObject {
  const { model, search } = settings;
  const { max_tokens, ...rest } = omitKeys(body, [
    ...thinkingParameters,
    ...searchParameters,
    ...(isKimi(model) ? Object.keys(unsupportedParameters) : []),
    ...Object.keys(body).filter((name) => body[name] === null),
  ]);
  const tools = objectsIn(body.tools).filter(
    (tool) => !isSearchTool(tool) && !(search && body.tool_choice === "none"),
  );
  const thinking = thinkingFields(settings, body);
  const isThinking = model.thinking.some((effort) => effort !== "off") && !isThinkingDisabled(thinking);
  return {
    ...omitKeys(rest, tools.length > 0 ? [] : ["tools", "tool_choice"]),
    messages: objectsIn(body.messages).map((message) => moonshotMessage(message, isThinking)),
    ...(max_tokens === undefined ? {} : { max_completion_tokens: rest.max_completion_tokens ?? max_tokens }),
    ...(tools.length > 0 ? { tools: tools.map(moonshotTool) } : {}),
    ...(isObject(rest.response_format) ? { response_format: moonshotFormat(rest.response_format) } : {}),
    ...(isTemperatureTooHigh(body) && !isKimi(model) ? { temperature: 1 } : {}),
    ...thinking,
  };
}

/** Whether `moonshotBody` drops or cannot honour a parameter, and its value is no neutral one. */
export function ignoresParameter(
  { name, value, feature }: Pick<RequestedFeature, "name" | "value" | "feature">,
  settings: MoonshotSettings,
): boolean {
  if (feature === "thinking") return !isThinkingHonoured(settings);
  if (!isKimi(settings.model)) return name === "temperature" && isTemperatureTooHigh({ temperature: value });
  const neutralValues = unsupportedParameters[name];
  return neutralValues !== undefined && !neutralValues.some((neutral) => isEqualJson(neutral, value));
}

/**
 * Throws `invalid_request` for files: chat takes no documents, and its file extraction is not used
 * (moonshot-platform.md A.11).
 */
export function rejectFiles(messages: readonly Message[]): void {
  for (const part of messages.flatMap(({ content }) => content)) {
    if (part.type !== "file") continue;
    const reason = "this model takes no files; send their text, or pictures of their pages";
    throw new GatewayError("invalid_request", `${part.path}: ${reason}.`, { param: part.path });
  }
}

function isKimi({ id }: Model): boolean {
  return id.startsWith("kimi-k");
}

function isEqualJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** OpenAI's temperatures go up to 2, those of `moonshot-v1` to 1. */
function isTemperatureTooHigh({ temperature }: JsonObject): boolean {
  return typeof temperature === "number" && temperature > 1;
}

/**
 * The thinking parameters of a model: an effort if it has several, on or off if it has both, nothing if it has no
 * choice (moonshot-platform.md A.4.2). A search turns thinking off if the model can (moonshot-platform.md A.9.1).
 */
function thinkingFields({ model, thinking, search }: MoonshotSettings, body: JsonObject): JsonObject {
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

function isThinkingDisabled({ thinking }: JsonObject): boolean {
  return asObject(thinking)?.type === "disabled";
}

function isThinkingHonoured({ model, thinking, search }: MoonshotSettings): boolean {
  const canStop = model.thinking.includes("off");
  if (thinking === undefined) return true;
  if (thinking === "off") return canStop;
  return model.thinking.some((effort) => effort !== "off") && !(search && canStop);
}

function moonshotMessage(message: JsonObject, isThinking: boolean): JsonObject {
  const { reasoning, ...rest } = withoutBlankParts(message);
  if (rest.role === "developer") return { ...rest, role: "system" };
  if (rest.role !== "assistant") return rest;
  const hasCalls = objectsIn(rest.tool_calls).length > 0;
  const sentReasoning = [rest.reasoning_content, reasoning].find((value) => typeof value === "string");
  // In a tool loop a thinking model requires its reasoning back, even if empty (moonshot-platform.md A.4.2).
  const reasoning_content = sentReasoning ?? (hasCalls && isThinking ? "" : undefined);
  return {
    ...omitKeys(rest, hasCalls && isBlank(rest.content) ? ["content"] : []),
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

/** Moonshot's schemas are strict by default, OpenAI's are not (moonshot-platform.md A.6.1). */
function moonshotTool(tool: JsonObject): JsonObject {
  const definition = asObject(tool.function);
  if (!definition) return tool;
  const parameters = definition.parameters ?? { type: "object", properties: {} };
  return { ...tool, function: { ...definition, parameters, strict: definition.strict ?? false } };
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
