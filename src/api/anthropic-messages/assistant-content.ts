import type { Message, ToolCall } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import type { Seals } from "./seals.js";
import { requireText, unknownBlock } from "./user-content.js";

type AssistantMessage = Extract<Message, { role: "assistant" }>;

/**
 * Reads the blocks of an assistant's message. Its text blocks are joined as they are: the answer was divided into blocks
 * when it was sent. Our own thinking becomes its reasoning; that of others, and what our own searches found, which the answer
 * rests on already, is left out. Throws `invalid_request` that names the type of a block which cannot be told.
 */
export function readAssistant(blocks: readonly JsonObject[], path: string, seals: Seals): AssistantMessage {
  const texts: string[] = [];
  const reasoning: string[] = [];
  const toolCalls: ToolCall[] = [];
  const inputs = new Map<unknown, unknown>();
  for (const [index, block] of blocks.entries()) {
    const place = `${path}[${index}]`;
    switch (block.type) {
      case "text":
        texts.push(requireText(block.text, `${place}.text`));
        break;
      case "thinking":
        reasoning.push(readThinking(block, seals));
        break;
      case "tool_use":
        toolCalls.push(readCall(block, place));
        break;
      case "server_tool_use":
      case "mcp_tool_use":
        inputs.set(block.id, { name: block.name, input: block.input });
        break;
      case "web_search_tool_result":
        texts.push(describeSearch(block, inputs.get(block.tool_use_id), seals));
        break;
      case "web_fetch_tool_result":
      case "code_execution_tool_result":
      case "bash_code_execution_tool_result":
      case "text_editor_code_execution_tool_result":
      case "mcp_tool_result":
        texts.push(describeResult(block, inputs.get(block.tool_use_id)));
        break;
      case "compaction":
        texts.push(asText(block.content) ?? "");
        break;
      case "redacted_thinking":
      case "tool_search_tool_result":
      case "mcp_tool_listing":
      case "fallback":
      case "container_upload":
        break;
      default:
        throw unknownBlock(block, place);
    }
  }
  const thought = reasoning.join("");
  return {
    role: "assistant",
    content: texts.filter((text) => text !== "").map((text) => ({ type: "text", text })),
    ...(thought === "" ? {} : { reasoning: thought }),
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
  };
}

function readThinking({ thinking, signature }: JsonObject, seals: Seals): string {
  if (typeof thinking !== "string" || typeof signature !== "string") return "";
  return seals.readThinking(thinking, signature) ?? "";
}

function readCall({ id, name, input }: JsonObject, path: string): ToolCall {
  const callee = asText(name);
  if (callee === undefined) throw invalidParameter(`${path}.name`, "expected the function's name");
  return { id: asText(id) ?? "", name: callee, arguments: JSON.stringify(input ?? {}) };
}

/** What a search of another service found. */
function describeSearch(block: JsonObject, use: unknown, seals: Seals): string {
  const results = objectsIn(block.content);
  const isOwn = results.every(({ url, encrypted_content: signature }) =>
    typeof url === "string" && typeof signature === "string" ? seals.isOwnResult(url, signature) : false,
  );
  if (isOwn) return "";
  const query = asText(asObject(asObject(use)?.input)?.query) ?? "";
  const lines = results.map(({ title, url }) => `- ${asText(title) ?? ""} ${asText(url) ?? ""}`);
  return `\n[search of the web: ${query}]\n${lines.join("\n")}\n`;
}

function describeResult({ content }: JsonObject, use: unknown): string {
  return `\n[${JSON.stringify(use ?? {})} returned ${JSON.stringify(content ?? null)}]\n`;
}
