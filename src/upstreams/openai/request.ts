import { GatewayError } from "../../core/errors.js";
import type {
  MediaPart,
  Message,
  Part,
  ResponseFormat,
  Thinking,
  Tool,
  ToolCall,
  ToolChoice,
  UpstreamRequest,
} from "../../core/types.js";
import { asObject, type JsonObject } from "../../lib/json.js";

/** Moonbridge's own parameters, which no service knows. */
const ownParameters = ["conversation_id", "citations", "use_search"];

/** The request body in OpenAI's dialect: the client's own, or one built from a request in another dialect. */
export function completionBody(request: UpstreamRequest): JsonObject {
  const { originalRequest, model } = request;
  const body = originalRequest ? omitKeys(originalRequest.body, ownParameters) : buildBody(request);
  return { ...body, model: model.id };
}

/** The body for a streamed answer; usage is always requested (moonshot-platform.md F.10). */
export function toStreamingBody(body: JsonObject): JsonObject {
  return { ...body, stream: true, stream_options: { ...asObject(body.stream_options), include_usage: true } };
}

/** The body for a whole answer. */
export function toWholeBody(body: JsonObject): JsonObject {
  return { ...omitKeys(body, ["stream_options"]), stream: false };
}

/** A copy of the object without these keys. */
export function omitKeys(body: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !keys.includes(key)));
}

/** Efforts by OpenAI's names. For `off` there is none that every service accepts. */
const wireEfforts: Record<Thinking, string | undefined> = {
  off: undefined,
  low: "low",
  high: "high",
  max: "high",
};

function buildBody(request: UpstreamRequest): JsonObject {
  const { messages, tools, toolChoice, parallelToolCalls, responseFormat, sampling, limits, thinking } =
    request;
  const effort = thinking && wireEfforts[thinking];
  return {
    messages: messages.map(buildMessage),
    ...(tools ? { tools: tools.map(buildTool) } : {}),
    ...(toolChoice ? { tool_choice: buildToolChoice(toolChoice) } : {}),
    ...(parallelToolCalls === undefined ? {} : { parallel_tool_calls: parallelToolCalls }),
    ...(responseFormat ? { response_format: buildResponseFormat(responseFormat) } : {}),
    ...sampling,
    ...(limits?.maxTokens === undefined ? {} : { max_completion_tokens: limits.maxTokens }),
    ...(limits?.stop ? { stop: limits.stop } : {}),
    ...(effort ? { reasoning_effort: effort } : {}),
  };
}

function buildMessage(message: Message): JsonObject {
  const content = buildContent(message.content);
  switch (message.role) {
    case "system":
      return { role: "system", content };
    case "user":
      return { role: "user", ...(message.name ? { name: message.name } : {}), content };
    case "assistant": {
      const { reasoning, toolCalls } = message;
      return {
        role: "assistant",
        ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
        content: content === "" && toolCalls ? null : content,
        ...(toolCalls ? { tool_calls: toolCalls.map(buildToolCall) } : {}),
      };
    }
    case "tool":
      return { role: "tool", tool_call_id: message.toolCallId, content };
  }
}

/** A string if all parts are text: not every service accepts parts everywhere. */
function buildContent(parts: readonly Part[]): string | JsonObject[] {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return texts.length === parts.length ? texts.join("") : parts.map(buildPart);
}

function buildPart(part: Part): JsonObject {
  if (part.type === "text") return { type: "text", text: part.text };
  if (part.type === "image") return { type: "image_url", image_url: { url: mediaUrl(part, "image/png") } };
  const file_data = mediaUrl(part, "application/octet-stream");
  return { type: "file", file: { filename: part.name ?? "file", file_data } };
}

function mediaUrl({ source, mediaType, path, type }: MediaPart, defaultMediaType: string): string {
  if (source.kind === "bytes") return `data:${mediaType ?? defaultMediaType};base64,${source.base64}`;
  if (source.kind === "link" && type === "image") return source.url;
  throw new GatewayError("invalid_request", `${path}: send this one itself, as a data URL.`, { param: path });
}

function buildTool({ name, description, parameters, strict }: Tool): JsonObject {
  const descriptionField = description === undefined ? {} : { description };
  const strictField = strict === undefined ? {} : { strict };
  return { type: "function", function: { name, ...descriptionField, parameters, ...strictField } };
}

function buildToolChoice(choice: ToolChoice): string | JsonObject {
  return typeof choice === "string" ? choice : { type: "function", function: { name: choice.name } };
}

function buildResponseFormat(format: ResponseFormat): JsonObject {
  if (format.type === "json") return { type: "json_object" };
  const { name, schema, strict } = format;
  const strictField = strict === undefined ? {} : { strict };
  return { type: "json_schema", json_schema: { name, schema, ...strictField } };
}

function buildToolCall({ id, name, arguments: text }: ToolCall): JsonObject {
  return { id, type: "function", function: { name, arguments: text } };
}
