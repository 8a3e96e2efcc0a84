import { asObject, asText, isObject, type JsonObject, objectsIn } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { toStandardAddress } from "../media-address.js";
import type { ChatCompletionMessage } from "./schema.js";

/** Parts of an assistant's message that contain its reasoning, as clients of several services send them back. */
const reasoningTypes = new Set(["think", "thinking", "redacted_thinking", "reasoning"]);

/**
 * Brings a message into OpenAI's form: the reasoning of an assistant's message as `reasoning_content`, pictures as
 * `image_url` parts with a link, a base64 data URL or a file id. Other fields and parts stay as they are. Throws
 * `invalid_request` with the field.
 */
export function toStandardMessage(message: ChatCompletionMessage, path: string): ChatCompletionMessage {
  return withPictures(withReasoningField(message, path), path);
}

function withReasoningField(message: ChatCompletionMessage, path: string): ChatCompletionMessage {
  const parts = Array.isArray(message.content) ? message.content : [];
  const isReasoning = (part: unknown) => isObject(part) && reasoningTypes.has(asText(part.type) ?? "");
  const index = parts.findIndex(isReasoning);
  if (message.role !== "assistant") {
    if (index < 0) return message;
    const reason = "reasoning can stand in messages with the role assistant only";
    throw invalidParameter(`${path}.content[${index}].type`, reason);
  }
  const sent = asText(message.reasoning_content) ?? asText(message.reasoning);
  const reasoning = sent ?? reasoningOf(message, objectsIn(parts).filter(isReasoning));
  const content = parts.filter((part) => !isReasoning(part));
  return {
    ...message,
    ...(index < 0 ? {} : { content: content.length > 0 ? content : message.tool_calls ? null : "" }),
    ...(reasoning === undefined || reasoning === sent ? {} : { reasoning_content: reasoning }),
  };
}

/** The reasoning in parts, or in the fields of LiteLLM, OpenRouter and Ollama; undefined if there is none to read. */
function reasoningOf(message: JsonObject, parts: readonly JsonObject[]): string | undefined {
  const lists = [parts, objectsIn(message.thinking_blocks), objectsIn(message.reasoning_details)];
  const texts = lists.map((list) =>
    list
      .map(textOfReasoning)
      .filter((text) => text !== "")
      .join("\n\n"),
  );
  return [...texts, asText(message.thinking)].find((text) => text !== undefined && text !== "");
}

/** Empty for `redacted_thinking` and encrypted reasoning, which only its own service can read. */
function textOfReasoning(part: JsonObject): string {
  const value = part.thinking ?? part.think ?? part.text ?? part.reasoning ?? part.content ?? part.summary;
  if (typeof value === "string") return value;
  return objectsIn(value)
    .map(({ text }) => asText(text) ?? "")
    .join("");
}

function withPictures(message: ChatCompletionMessage, path: string): ChatCompletionMessage {
  const { content, images, ...rest } = message;
  const attached = Array.isArray(images) ? images : [];
  const hasMedia = (part: unknown) => isObject(part) && isPicture(part);
  if (attached.length === 0 && !(Array.isArray(content) && content.some(hasMedia)) && !hasMedia(content))
    return message;
  const parts = Array.isArray(content) ? content : content === undefined || content === null ? [] : [content];
  return {
    ...rest,
    content: [
      ...parts.map((part: unknown, index) => toStandardPart(part, `${path}.content[${index}]`)),
      ...attached.map((image: unknown, index) => toPicture(image, `${path}.images[${index}]`)),
    ],
  };
}

function toStandardPart(part: unknown, path: string): unknown {
  if (typeof part === "string") return { type: "text", text: part };
  return isObject(part) && isPicture(part) ? toPicture(part, path) : part;
}

function isPicture({ type }: JsonObject): boolean {
  return type === "image_url" || type === "input_image" || type === "image";
}

/** A picture as an `image_url` part: Ollama's base64, or a part in the form of OpenAI, Anthropic, MCP or the AI SDK. */
function toPicture(image: unknown, path: string): JsonObject {
  const part = asObject(image) ?? { image_url: image };
  const source = asObject(part.source);
  const imageUrl = asObject(part.image_url);
  const mediaType = source?.media_type ?? part.mimeType ?? part.mediaType ?? part.media_type;
  const address = [
    imageUrl?.url,
    part.image_url,
    part.file_id,
    source?.url,
    source?.data,
    source?.file_id,
    part.url,
    part.image,
    part.data,
  ].find((value) => typeof value === "string" && value !== "");
  if (typeof address !== "string")
    throw invalidParameter(`${path}.image_url`, "expected an address, a data URL or a file id");
  const isBareBase64 = typeof mediaType === "string" && (address === source?.data || address === part.data);
  const url = toStandardAddress(
    isBareBase64 && !/^data:/i.test(address) ? `data:${mediaType};base64,${address}` : address,
    `${path}.image_url`,
  );
  const detail = imageUrl?.detail ?? part.detail;
  return { type: "image_url", image_url: { url, ...(detail === undefined ? {} : { detail }) } };
}
