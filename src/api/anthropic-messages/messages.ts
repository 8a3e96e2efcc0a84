import { isSystem } from "../../core/message-content.js";
import type { Message, Part } from "../../core/types.js";
import { asObject, asText, type JsonObject } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { readAssistant } from "./assistant-content.js";
import type { BodyMessage, MessagesBody } from "./schema.js";
import type { Seals } from "./seals.js";
import { PartList, readUserBlock, requireText } from "./user-content.js";

/** The first line of Claude Code's system text: for Anthropic's accounts, and another one in each request (clients.md §4.1). */
const billingHeader = /^x-anthropic-billing-header:[^\n]*\n?/;

/** The first block of a result that says of itself that it is an error. */
const namesError = /^\W*(tool_use_)?error/i;

type Content = MessagesBody["system"];

/** Reads `system`; empty if it has no text. */
export function readSystem(system: Content): Message[] {
  const blocks = toBlocks(system);
  const texts = blocks.map(({ text }, index) => requireText(text, `system[${index}].text`));
  return systemMessage([(texts[0] ?? "").replace(billingHeader, ""), ...texts.slice(1)]);
}

/**
 * Reads the messages in a form that does not depend on what clients change between requests: a text is the same as one block
 * of it, and marks for caches have no effect. Throws `invalid_request` with the field.
 */
export function readMessages(messages: readonly BodyMessage[], seals: Seals): Message[] {
  const read = messages.flatMap((message, index) => readMessage(message, `messages[${index}]`, seals));
  return withSystemFirst(read);
}

/**
 * Claude Code sends system texts behind the user's message that they belong to (clients.md §4.1). They go in front of it,
 * since what stands last in the prompt is what a model answers.
 */
function withSystemFirst(messages: readonly Message[]): Message[] {
  const ordered: Message[] = [];
  for (const message of messages) {
    const place = isSystem(message)
      ? ordered.findLastIndex(({ role }) => role !== "user") + 1
      : ordered.length;
    ordered.splice(place, 0, message);
  }
  return ordered;
}

function readMessage({ role, content }: BodyMessage, path: string, seals: Seals): Message[] {
  const blocks = toBlocks(content);
  switch (role) {
    case "system":
      return systemMessage(
        blocks.flatMap((block, index) =>
          block.type === "tool_addition" || block.type === "tool_removal"
            ? []
            : [requireText(block.text, `${path}.content[${index}].text`)],
        ),
      );
    case "user":
      return readUser(blocks, `${path}.content`);
    case "assistant":
      return [readAssistant(blocks, `${path}.content`, seals)];
    default:
      throw invalidParameter(`${path}.role`, "expected user, assistant or system");
  }
}

/** Each result of a tool is a message of its own, in the place where it stands. */
function readUser(blocks: readonly JsonObject[], path: string): Message[] {
  const messages: Message[] = [];
  let list = new PartList();
  const flush = () => {
    if (list.parts.length > 0) messages.push({ role: "user", content: list.parts });
    list = new PartList();
  };
  for (const [index, block] of blocks.entries()) {
    const place = `${path}[${index}]`;
    if (block.type === "tool_result") {
      flush();
      messages.push(readToolResult(block, place));
    } else for (const part of readUserBlock(block, place)) list.add(part);
  }
  flush();
  return messages;
}

function readToolResult(block: JsonObject, path: string): Message {
  const list = new PartList();
  for (const [index, inner] of resultBlocks(block.content, `${path}.content`).entries())
    for (const part of readUserBlock(inner, `${path}.content[${index}]`)) list.add(part);
  return {
    role: "tool",
    content: block.is_error === true ? markError(list.parts) : list.parts,
    toolCallId: asText(block.tool_use_id) ?? "",
  };
}

function resultBlocks(content: unknown, path: string): JsonObject[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return toBlocks(content);
  if (!Array.isArray(content)) throw invalidParameter(path, "expected text or a list of blocks");
  return content.map((block: unknown, index) => {
    const object = asObject(block);
    if (!object) throw invalidParameter(`${path}[${index}]`, "expected a block");
    return object;
  });
}

function markError(parts: readonly Part[]): Part[] {
  const [first, ...others] = parts;
  if (first?.type !== "text") return [{ type: "text", text: "Error" }, ...parts];
  return namesError.test(first.text) ? [...parts] : [{ ...first, text: `Error: ${first.text}` }, ...others];
}

function toBlocks(content: Content): JsonObject[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return content ?? [];
}

function systemMessage(texts: readonly string[]): Message[] {
  const text = texts.filter((each) => each.trim() !== "").join("\n\n");
  return text === "" ? [] : [{ role: "system", content: [{ type: "text", text }] }];
}
