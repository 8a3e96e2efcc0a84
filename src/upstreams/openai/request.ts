import { GatewayError } from "../../core/errors.js";
import type {
  MediaPart,
  Message,
  Part,
  Thinking,
  Tool,
  ToolCall,
  ToolChoice,
  UpstreamRequest,
} from "../../core/types.js";
import { asObject, type JsonObject } from "../../lib/json.js";

/** Parameters that are Moonbridge's own; no service knows them. */
const ours = ["conversation_id", "citations", "use_search"];

/** The request as the service's own dialect has it: the client's, or one made from what another dialect said. */
export function completionBody(request: UpstreamRequest): JsonObject {
  const { originalRequest, model } = request;
  const body = originalRequest ? without(originalRequest.body, ours) : builtBody(request);
  return { ...body, model: model.id };
}

/** The same request for a stream; what was used is always asked for (moonshot-platform.md F.10). */
export function streamed(body: JsonObject): JsonObject {
  return { ...body, stream: true, stream_options: { ...asObject(body.stream_options), include_usage: true } };
}

/** The same request for a whole answer. */
export function whole(body: JsonObject): JsonObject {
  return { ...without(body, ["stream_options"]), stream: false };
}

/** The object without these keys. */
export function without(body: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !keys.includes(key)));
}

/** Efforts by OpenAI's names; for thinking at all or not there is none that every service takes. */
const efforts: Record<Thinking, string | undefined> = {
  off: undefined,
  low: "low",
  high: "high",
  max: "high",
};

function builtBody({ messages, tools, toolChoice, sampling, limits, thinking }: UpstreamRequest): JsonObject {
  const effort = thinking && efforts[thinking];
  return {
    messages: messages.map(builtMessage),
    ...(tools ? { tools: tools.map(builtTool) } : {}),
    ...(toolChoice ? { tool_choice: builtChoice(toolChoice) } : {}),
    ...sampling,
    ...(limits?.maxTokens === undefined ? {} : { max_completion_tokens: limits.maxTokens }),
    ...(limits?.stop ? { stop: limits.stop } : {}),
    ...(effort ? { reasoning_effort: effort } : {}),
  };
}

function builtMessage(message: Message): JsonObject {
  const content = builtContent(message.content);
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
        ...(toolCalls ? { tool_calls: toolCalls.map(builtCall) } : {}),
      };
    }
    case "tool":
      return { role: "tool", tool_call_id: message.toolCallId, content };
  }
}

/** Text where it is nothing but text: not every service takes parts everywhere. */
function builtContent(parts: readonly Part[]): string | JsonObject[] {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return texts.length === parts.length ? texts.join("") : parts.map(builtPart);
}

function builtPart(part: Part): JsonObject {
  if (part.type === "text") return { type: "text", text: part.text };
  if (part.type === "image") return { type: "image_url", image_url: { url: address(part, "image/png") } };
  const file_data = address(part, "application/octet-stream");
  return { type: "file", file: { filename: part.name ?? "file", file_data } };
}

function address({ source, mediaType, path, type }: MediaPart, otherwise: string): string {
  if (source.kind === "bytes") return `data:${mediaType ?? otherwise};base64,${source.base64}`;
  if (source.kind === "link" && type === "image") return source.url;
  throw new GatewayError("invalid_request", `${path}: send this one itself, as a data URL.`, { param: path });
}

function builtTool({ name, description, parameters, strict }: Tool): JsonObject {
  const described = description === undefined ? {} : { description };
  const checked = strict === undefined ? {} : { strict };
  return { type: "function", function: { name, ...described, parameters, ...checked } };
}

function builtChoice(choice: ToolChoice): string | JsonObject {
  return typeof choice === "string" ? choice : { type: "function", function: { name: choice.name } };
}

function builtCall({ id, name, arguments: text }: ToolCall): JsonObject {
  return { id, type: "function", function: { name, arguments: text } };
}
