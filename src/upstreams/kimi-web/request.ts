import type { Part, Thinking, UpstreamRequest } from "../../core/types.js";
import type { KimiModel } from "./catalogue.js";

/** The wire's names for how hard to think (kimi-web.md §2.4). */
const effort: Record<Thinking, string> = {
  off: "REASONING_EFFORT_NONE",
  low: "REASONING_EFFORT_LOW",
  high: "REASONING_EFFORT_HIGH",
  max: "REASONING_EFFORT_MAX",
};

/**
 * The JSON of one `Chat` request, in the shape and spelling of the site's own (kimi-web.md §2.4, §5.1, §5.4).
 * A new chat has neither `chat_id` nor `parent_id`: an empty `chat_id` is refused.
 */
export function chatBody(request: UpstreamRequest, model: KimiModel): string {
  const { continueFrom, search } = request;
  const thinking = request.thinking ?? model.thinking[0] ?? "off";
  return JSON.stringify({
    ...(continueFrom ? { chat_id: continueFrom.chat } : {}),
    scenario: model.scenario,
    ...(model.kimiPlusId ? { kimiplus_id: model.kimiPlusId } : {}),
    ...(model.agentMode ? { agent_mode: model.agentMode } : {}),
    tools: search ? [{ type: "TOOL_TYPE_SEARCH", search: {} }] : [],
    message: {
      ...(continueFrom ? { parent_id: continueFrom.parent } : {}),
      role: "user",
      blocks: request.messages.flatMap(({ content }) => content.map(block)),
      scenario: model.scenario,
      is_goal: false,
    },
    options: {
      thinking: thinking !== "off",
      enable_plugin: false,
      reasoning_effort: effort[thinking],
      model: model.id,
      ...(model.contextLengthOption ? { context_length: model.contextLengthOption } : {}),
    },
    project_id: "",
  });
}

/** The site puts the text first and files, already read by Kimi, behind it (kimi-web.md §2.4). */
function block(part: Part): object {
  if (part.type === "text") return { message_id: "", text: { content: part.text } };
  const id = part.source.kind === "file-id" ? part.source.id : "";
  return { file: { id, status: "PROCESS_STATUS_SUCCESS" } };
}
