import type { Message, Part, ToolCall } from "../../core/types.js";
import { isObject, type JsonObject } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readMediaSource, toStandardAddress } from "../media-address.js";
import type { ChatCompletionMessage } from "./schema.js";
import { toStandardMessage } from "./standard-messages.js";

/** A message in OpenAI's form, and its path in the request for error messages. */
export type PlacedMessage = { message: ChatCompletionMessage; path: string };

/**
 * The messages of a request in OpenAI's form, from every shape that clients send. Throws `invalid_request` with the
 * field. A content that is a list of messages, as in the README of kimi-free-api (original.md), is replaced by those
 * messages.
 */
export function toStandardMessages(
  messages: readonly ChatCompletionMessage[],
  path = "messages",
): PlacedMessage[] {
  return messages.flatMap((message, index) => {
    const place = `${path}[${index}]`;
    const { content } = message;
    return isNested(content)
      ? toStandardMessages(content, `${place}.content`)
      : [{ message: toStandardMessage(message, place), path: place }];
  });
}

/** Whether any content is a list of messages instead of parts; only clients of kimi-free-api send that. */
export function hasNestedMessages(messages: readonly ChatCompletionMessage[]): boolean {
  return messages.some(({ content }) => isNested(content));
}

/** Reads a message in OpenAI's form. Throws `invalid_request` with the field. */
export function readMessage({ message, path }: PlacedMessage): Message {
  const { content } = message;
  const parts = readContent(content, `${path}.content`);
  const name = typeof message.name === "string" ? { name: message.name } : {};
  switch (message.role) {
    case "system":
    case "developer":
      return { role: "system", content: parts };
    case "user":
      return { role: "user", content: parts, ...name };
    case "assistant":
      return readAssistant(message, parts, path);
    case "tool":
    case "function": {
      const id = message.tool_call_id ?? message.name;
      return { role: "tool", content: parts, toolCallId: typeof id === "string" ? id : "", ...name };
    }
    default:
      throw invalidParameter(`${path}.role`, "expected system, developer, user, assistant, tool or function");
  }
}

function readAssistant(message: JsonObject, content: Part[], path: string): Message {
  const reasoning = message.reasoning_content ?? message.reasoning;
  const toolCalls = readToolCalls(message, path);
  return {
    role: "assistant",
    content,
    ...(typeof reasoning === "string" && reasoning !== "" ? { reasoning } : {}),
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
  };
}

function readToolCalls(message: JsonObject, path: string): ToolCall[] {
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  const legacy = isObject(message.function_call) ? [{ id: "", function: message.function_call }] : [];
  return [...calls, ...legacy].map((call: unknown, index) => {
    const callee = isObject(call) ? (call.function ?? call.custom) : undefined;
    if (!isObject(call) || !isObject(callee) || typeof callee.name !== "string") {
      throw invalidParameter(
        `${path}.tool_calls[${index}]`,
        "expected {id, type: 'function', function: {name, arguments}}",
      );
    }
    const args = callee.arguments ?? callee.input ?? "";
    return {
      id: typeof call.id === "string" ? call.id : "",
      name: callee.name,
      arguments: typeof args === "string" ? args : JSON.stringify(args),
    };
  });
}

function readContent(content: unknown, path: string): Part[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (Array.isArray(content))
    return content.map((part: unknown, index) => readPart(part, `${path}[${index}]`));
  if (isObject(content)) return [readPart(content, path)];
  throw invalidParameter(path, "expected text or a list of parts");
}

function readPart(part: unknown, path: string): Part {
  if (typeof part === "string") return { type: "text", text: part };
  if (!isObject(part)) throw invalidParameter(path, "expected a part such as {type: 'text', text: '…'}");
  switch (part.type) {
    case undefined:
    case "text":
    case "input_text":
    case "output_text":
      if (typeof part.text !== "string") throw invalidParameter(`${path}.text`, "expected text");
      return { type: "text", text: part.text };
    case "refusal":
      return { type: "text", text: typeof part.refusal === "string" ? part.refusal : "" };
    case "image_url":
      return { type: "image", ...readMediaSource(part.image_url, `${path}.image_url`), path: path };
    case "file":
    case "input_file":
    case "file_url":
      return readFile(part, path);
    case "input_audio":
      throw invalidParameter(path, "audio is not supported; send its transcript as text");
    case "video_url":
      throw invalidParameter(path, "video is not supported; send a description or pictures of it");
    default:
      throw invalidParameter(`${path}.type`, "expected text, image_url, file or file_url");
  }
}

function readFile(part: JsonObject, path: string): Part {
  const file = isObject(part.file) ? part.file : part;
  const fileName = file.filename ?? file.name;
  const address = file.file_data ?? file.file_id ?? file.file_url ?? file.url;
  const text = isObject(address) ? address.url : address;
  const standardAddress = typeof text === "string" && text !== "" ? toStandardAddress(text, path) : text;
  return {
    type: "file",
    ...readMediaSource(standardAddress, `${path}.file`),
    path: path,
    ...(typeof fileName === "string" ? { name: fileName } : {}),
  };
}

function isNested(content: unknown): content is ChatCompletionMessage[] {
  return (
    Array.isArray(content) &&
    content.length > 0 &&
    content.every((item) => isObject(item) && typeof item.role === "string" && !item.type)
  );
}
