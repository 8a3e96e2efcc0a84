import type { MediaPart, UpstreamRequest } from "../../core/types.js";
import type { JsonObject } from "../../lib/json.js";
import { wrapLinks } from "./links.js";
import type { LegacyModel } from "./models.js";

/** The body of `POST /api/chat` (kimi-web.md §1.3). */
export function newChatBody(model: LegacyModel): JsonObject {
  return {
    name: "未命名会话",
    is_example: false,
    enter_method: "new_chat",
    kimiplus_id: model.kimiPlusId,
  };
}

/** Research is a search: where that is off, as for the chores of UIs, nothing is researched. */
export function researches({ search }: UpstreamRequest, model: LegacyModel): boolean {
  return model.research && search;
}

/** The body of `completion/stream`: all there is to say as one message of the user's (kimi-web.md §1.4, §5.9). */
export function completionBody(request: UpstreamRequest, model: LegacyModel): JsonObject {
  const { messages, search } = request;
  const parts = messages.flatMap(({ content }) => content);
  const files = parts.flatMap((part) => (part.type === "text" ? [] : reference(part)));
  const said = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  return {
    kimiplus_id: model.kimiPlusId,
    messages: [{ role: "user", content: wrapLinks(said) }],
    refs: files.map(({ id }) => id),
    refs_file: files,
    use_math: model.math,
    use_research: researches(request, model),
    use_search: search,
    extend: { sidebar: true },
  };
}

/** The rest of an answer that was cut to length (kimi-web.md §1.4). */
export function continuationBody(segment: string, model: LegacyModel): JsonObject {
  return {
    segment_id: segment,
    action: "continue",
    messages: [{ role: "user", content: " " }],
    kimiplus_id: model.kimiPlusId,
    extend: { sidebar: true },
  };
}

/** An uploaded file as the site names it beside its id; only the id counts (kimi-web.md §1.7). */
function reference({ source, name }: MediaPart) {
  if (source.kind !== "file-id") return [];
  const state = { done: true, parse_status: "success", upload_status: "success", upload_progress: 100 };
  return [{ id: source.id, name: name ?? "", detail: {}, file_info: {}, file: {}, ...state }];
}
