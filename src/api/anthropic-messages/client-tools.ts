import type { Tool } from "../../core/types.js";
import { asText, type JsonObject } from "../../lib/json.js";

/** Tools that the client runs and whose schema is known by their type: Anthropic's clients send no schema for them. */
type KnownTool = { pattern: RegExp; name: string; tool: Omit<Tool, "name"> };

const text = (description: string) => ({ type: "string", description });
const lineNumber = { type: "integer", minimum: 0 };
const viewRange = {
  type: "array",
  items: { type: "integer" },
  minItems: 2,
  maxItems: 2,
  description: "First and last line to show, counted from 1; -1 is the end of the file.",
};

/** The commands that edit a file; the path's description differs between the tools. */
function editorProperties(commands: readonly string[], path: string) {
  return {
    command: { type: "string", enum: commands },
    path: text(path),
    view_range: viewRange,
    file_text: text("For create: the whole content."),
    old_str: text("For str_replace: the text to replace, which is in the file exactly once."),
    new_str: text("For str_replace: the text to put there."),
    insert_line: {
      ...lineNumber,
      description: "For insert: the line behind which the text goes; 0 is the beginning.",
    },
    insert_text: text("For insert: the text."),
  };
}

const knownTools: readonly KnownTool[] = [
  {
    pattern: /^bash_\d+$/,
    name: "bash",
    tool: {
      description:
        "Runs a command in a shell that keeps its state between calls, and returns what it prints.",
      parameters: {
        type: "object",
        properties: {
          command: text("The command."),
          restart: { type: "boolean", description: "True to start a new shell instead." },
        },
      },
    },
  },
  {
    pattern: /^text_editor_\d+$/,
    name: "str_replace_based_edit_tool",
    tool: {
      description: "Shows, creates and edits files.",
      parameters: {
        type: "object",
        properties: editorProperties(
          ["view", "create", "str_replace", "insert"],
          "The path of the file or folder.",
        ),
        required: ["command", "path"],
      },
    },
  },
  {
    pattern: /^memory_\d+$/,
    name: "memory",
    tool: {
      description: "Keeps notes in files under /memories that outlast the conversation.",
      parameters: {
        type: "object",
        properties: {
          ...editorProperties(
            ["view", "create", "str_replace", "insert", "delete", "rename"],
            "The path under /memories; not for rename.",
          ),
          old_path: text("For rename: the path so far."),
          new_path: text("For rename: the new path."),
        },
        required: ["command"],
      },
    },
  },
];

/** The function for a tool of a known type, under the client's name for it; undefined for other types. */
export function findClientTool(definition: JsonObject): Tool | undefined {
  const type = asText(definition.type) ?? "";
  const known = knownTools.find(({ pattern }) => pattern.test(type));
  return known && { name: asText(definition.name) ?? known.name, ...known.tool };
}
