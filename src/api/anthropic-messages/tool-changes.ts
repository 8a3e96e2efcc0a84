import type { Tool } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";
import { readFunctionTool } from "../function-tools.js";
import type { BodyMessage } from "./schema.js";

type ToolChanges = {
  /** Names of deferred tools that the messages made available, or that were called. */
  referenced: ReadonlySet<string>;
  /** Names of tools that the messages withdrew. */
  removed: ReadonlySet<string>;
  /** Tools that the messages define. */
  added: Tool[];
};

/** What the messages say about the tools, the newest of it last (`tool_reference`, `tool_addition`, `tool_removal`). */
export function changedTools(messages: readonly BodyMessage[]): ToolChanges {
  const referenced = new Set<string>();
  const removed = new Set<string>();
  const added = new Map<string, Tool>();
  const addReference = (name: string | undefined) => {
    if (name === undefined) return;
    referenced.add(name);
    removed.delete(name);
  };
  for (const [index, { content }] of messages.entries()) {
    if (!Array.isArray(content)) continue;
    for (const [position, block] of content.entries()) {
      switch (block.type) {
        case "tool_use":
          addReference(asText(block.name));
          break;
        case "tool_result":
        case "tool_search_tool_result":
          for (const name of referencesIn(block)) addReference(name);
          break;
        case "tool_addition": {
          const path = `messages[${index}].content[${position}].tool.definition`;
          const tool = definedTool(block, path);
          if (tool) added.set(tool.name, tool);
          addReference(tool?.name ?? nameOf(block));
          break;
        }
        case "tool_removal": {
          const name = nameOf(block);
          if (name === undefined) break;
          removed.add(name);
          added.delete(name);
        }
      }
    }
  }
  return { referenced, removed, added: [...added.values()] };
}

/** The tools that a result refers to, also in the result of Anthropic's own search for tools. */
function referencesIn({ content }: JsonObject): (string | undefined)[] {
  const blocks = Array.isArray(content) ? objectsIn(content) : objectsIn(asObject(content)?.tool_references);
  return blocks.flatMap(({ type, tool_name: name }) => (type === "tool_reference" ? [asText(name)] : []));
}

function definedTool({ tool }: JsonObject, path: string): Tool | undefined {
  const change = asObject(tool);
  return change?.type === "tool_definition" ? readFunctionTool(change.definition, path) : undefined;
}

function nameOf({ tool }: JsonObject): string | undefined {
  return asText(asObject(tool)?.name);
}
