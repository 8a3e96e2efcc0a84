import type { Part, Thinking, UpstreamRequest } from "../../core/types.js";
import type { KimiModel } from "./models.js";

/** Reasoning efforts on the wire (kimi-web.md §2.4). */
const wireEfforts: Record<Thinking, string> = {
  off: "REASONING_EFFORT_NONE",
  low: "REASONING_EFFORT_LOW",
  high: "REASONING_EFFORT_HIGH",
  max: "REASONING_EFFORT_MAX",
};

/** The effort of a turn: the requested one, else the weakest that the model offers. */
function effortOf({ thinking }: UpstreamRequest, model: KimiModel): Thinking {
  return thinking ?? model.thinking[0] ?? "off";
}

/** Whether the turn may take minutes: it thinks, as K3 always does, or an agent works (kimi-web.md §3). */
export function isLongTurn(request: UpstreamRequest, model: KimiModel): boolean {
  return model.agent || effortOf(request, model) !== "off";
}

/** How a request for a new chat names it: by an empty `chat_id` or by none; sources disagree (kimi-web.md §2.4, §6 #23). */
export type NewChatId = "empty" | "absent";

/** The form that a model's first request has: K3 requires the empty id, which chat models refuse (kimi-web.md §6 #23). */
export function newChatIdOf({ id, scenario }: KimiModel): NewChatId {
  return /^k3(-|$)/.test(id) || scenario === "SCENARIO_K3" ? "empty" : "absent";
}

/** The JSON of one `Chat` request, as the site sends it (kimi-web.md §2.4, §5.1, §5.4). */
export function chatRequestBody(request: UpstreamRequest, model: KimiModel, newChatId: NewChatId): string {
  const { continueFrom, search } = request;
  const thinking = effortOf(request, model);
  return JSON.stringify({
    ...(continueFrom ? { chat_id: continueFrom.chat } : newChatId === "empty" ? { chat_id: "" } : {}),
    scenario: model.scenario,
    ...(model.kimiPlusId ? { kimiplus_id: model.kimiPlusId } : {}),
    ...(model.agentMode ? { agent_mode: model.agentMode } : {}),
    tools: search !== false ? [{ type: "TOOL_TYPE_SEARCH", search: {} }] : [],
    message: {
      ...(continueFrom ? { parent_id: continueFrom.parent } : {}),
      role: "user",
      blocks: request.messages.flatMap(({ content }) => content.map(toBlock)),
      scenario: model.scenario,
      is_goal: false,
    },
    options: {
      thinking: thinking !== "off",
      enable_plugin: false,
      reasoning_effort: wireEfforts[thinking],
      model: model.id,
      ...(model.contextLengthOption ? { context_length: model.contextLengthOption } : {}),
    },
    project_id: "",
  });
}

/** The site sends the text first, then files that Kimi has already parsed (kimi-web.md §2.4). */
function toBlock(part: Part): object {
  if (part.type === "text") return { message_id: "", text: { content: part.text } };
  const id = part.source.kind === "file-id" ? part.source.id : "";
  return { file: { id, status: "PROCESS_STATUS_SUCCESS" } };
}
