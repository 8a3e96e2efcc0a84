import { GatewayError } from "../../core/errors.js";
import type { MediaSource, Message, Part, ToolCall } from "../../core/types.js";
import { isObject, type JsonObject } from "../../lib/json.js";
import type { ChatCompletionMessage } from "./schema.js";

/**
 * The messages of a request as Moonbridge's own, whatever shape their content has. Throws `invalid_request` naming
 * the field. A content that is a list of messages, as in the original's README (original.md), is understood as
 * those messages.
 */
export function readMessages(messages: readonly ChatCompletionMessage[]): Message[] {
  return messages.flatMap((message, index) => readMessage(message, `messages[${index}]`));
}

/** True where a content holds messages instead of parts: only clients of the original send that. */
export function isOriginalShape(messages: readonly ChatCompletionMessage[]): boolean {
  return messages.some(({ content }) => isNested(content));
}

function readMessage(message: JsonObject, at: string): Message[] {
  const { content } = message;
  if (isNested(content)) {
    return content.flatMap((nested, index) => readMessage(nested, `${at}.content[${index}]`));
  }
  const parts = readContent(content, `${at}.content`);
  const name = typeof message.name === "string" ? { name: message.name } : {};
  switch (message.role) {
    case "system":
    case "developer":
      return [{ role: "system", content: parts }];
    case "user":
      return [{ role: "user", content: parts, ...name }];
    case "assistant":
      return [readAssistant(message, parts, at)];
    case "tool":
    case "function": {
      const id = message.tool_call_id ?? message.name;
      return [{ role: "tool", content: parts, toolCallId: typeof id === "string" ? id : "", ...name }];
    }
    default:
      throw invalid(`${at}.role`, "expected system, developer, user, assistant, tool or function");
  }
}

function readAssistant(message: JsonObject, content: Part[], at: string): Message {
  const reasoning = message.reasoning_content ?? message.reasoning;
  const toolCalls = readToolCalls(message, at);
  return {
    role: "assistant",
    content,
    ...(typeof reasoning === "string" && reasoning !== "" ? { reasoning } : {}),
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
  };
}

function readToolCalls(message: JsonObject, at: string): ToolCall[] {
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  const legacy = isObject(message.function_call) ? [{ id: "", function: message.function_call }] : [];
  return [...calls, ...legacy].map((call: unknown, index) => {
    const called = isObject(call) ? (call.function ?? call.custom) : undefined;
    if (!isObject(call) || !isObject(called) || typeof called.name !== "string") {
      throw invalid(
        `${at}.tool_calls[${index}]`,
        "expected {id, type: 'function', function: {name, arguments}}",
      );
    }
    const args = called.arguments ?? called.input ?? "";
    return {
      id: typeof call.id === "string" ? call.id : "",
      name: called.name,
      arguments: typeof args === "string" ? args : JSON.stringify(args),
    };
  });
}

function readContent(content: unknown, at: string): Part[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (Array.isArray(content)) return content.map((part: unknown, index) => readPart(part, `${at}[${index}]`));
  if (isObject(content)) return [readPart(content, at)];
  throw invalid(at, "expected text or a list of parts");
}

function readPart(part: unknown, at: string): Part {
  if (typeof part === "string") return { type: "text", text: part };
  if (!isObject(part)) throw invalid(at, "expected a part such as {type: 'text', text: '…'}");
  switch (part.type) {
    case undefined:
    case "text":
    case "input_text":
    case "output_text":
      if (typeof part.text !== "string") throw invalid(`${at}.text`, "expected text");
      return { type: "text", text: part.text };
    case "refusal":
      return { type: "text", text: typeof part.refusal === "string" ? part.refusal : "" };
    case "image_url":
    case "input_image":
      return { type: "image", ...readAddress(part.image_url ?? part.file_id, `${at}.image_url`), path: at };
    case "file":
    case "input_file":
    case "file_url":
      return readFile(part, at);
    case "input_audio":
      throw invalid(at, "audio is not supported; send its transcript as text");
    case "video_url":
      throw invalid(at, "video is not supported; send a description or pictures of it");
    default:
      throw invalid(`${at}.type`, "expected text, image_url, file or file_url");
  }
}

function readFile(part: JsonObject, at: string): Part {
  const file = isObject(part.file) ? part.file : part;
  const named = file.filename ?? file.name;
  const address = file.file_data ?? file.file_id ?? file.file_url ?? file.url;
  return {
    type: "file",
    ...readAddress(address, `${at}.file`),
    path: at,
    ...(typeof named === "string" ? { name: named } : {}),
  };
}

/** A link, a data URL or the id of an upload; `{url}` and plain text alike. */
function readAddress(value: unknown, at: string): { source: MediaSource; mediaType?: string } {
  const address = isObject(value) ? value.url : value;
  if (typeof address !== "string" || address === "") {
    throw invalid(at, "expected an address, a data URL or a file id");
  }
  const data = /^data:([\w.+-]+\/[\w.+-]+)?[^,]{0,200};base64,/i.exec(address);
  if (data) {
    const source: MediaSource = { kind: "bytes", base64: address.slice(data[0].length) };
    return { source, ...(data[1] ? { mediaType: data[1].toLowerCase() } : {}) };
  }
  if (/^https?:/i.test(address)) return { source: { kind: "link", url: address } };
  return { source: { kind: "file-id", id: address.replace(/^ms:\/\//, "") } };
}

function isNested(content: unknown): content is JsonObject[] {
  return (
    Array.isArray(content) &&
    content.length > 0 &&
    content.every((item) => isObject(item) && "role" in item && !item.type)
  );
}

function invalid(param: string, expectation: string): GatewayError {
  return new GatewayError("invalid_request", `${param}: ${expectation}.`, { param });
}
