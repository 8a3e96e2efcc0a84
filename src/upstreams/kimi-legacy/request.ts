import { textOf } from "../../core/message-content.js";
import type { MediaPart, UpstreamRequest } from "../../core/types.js";
import type { JsonObject } from "../../lib/json.js";
import type { LegacyModel } from "./models.js";
import { wrapLinks } from "./wrap-links.js";

/** The body of `POST /api/chat` (kimi-web.md §1.3). */
export function newChatBody(model: LegacyModel): JsonObject {
  return {
    name: "未命名会话",
    is_example: false,
    enter_method: "new_chat",
    kimiplus_id: model.kimiPlusId,
  };
}

/** Research is a search: without search, as in side requests of UIs, there is no research. */
export function usesResearch({ search }: UpstreamRequest, model: LegacyModel): boolean {
  return model.research && search !== false;
}

/** Whether the turn may take minutes: it is a research, or the model reasons (kimi-web.md §1.4). */
export function isLongTurn(request: UpstreamRequest, model: LegacyModel): boolean {
  return model.reasoning || usesResearch(request, model);
}

/** The body of `completion/stream`: all messages as one message of the user (kimi-web.md §1.4, §5.9). */
export function completionBody(request: UpstreamRequest, model: LegacyModel): JsonObject {
  const { messages, search } = request;
  const parts = messages.flatMap(({ content }) => content);
  const files = parts.flatMap((part) => (part.type === "text" ? [] : toFileReference(part)));
  const text = textOf(parts);
  return {
    kimiplus_id: model.kimiPlusId,
    messages: [{ role: "user", content: wrapLinks(text) }],
    refs: files.map(({ id }) => id),
    refs_file: files,
    use_math: model.math,
    use_research: usesResearch(request, model),
    use_search: search !== false,
    extend: { sidebar: true },
  };
}

/** The request body for the rest of an answer that was cut to length (kimi-web.md §1.4). */
export function continuationBody(segment: string, model: LegacyModel): JsonObject {
  return {
    segment_id: segment,
    action: "continue",
    messages: [{ role: "user", content: " " }],
    kimiplus_id: model.kimiPlusId,
    extend: { sidebar: true },
  };
}

/** The reference to an uploaded file, as the site sends it; only the id matters (kimi-web.md §1.7). */
function toFileReference({ source, name }: MediaPart) {
  if (source.kind !== "file-id") return [];
  const state = { done: true, parse_status: "success", upload_status: "success", upload_progress: 100 };
  return [{ id: source.id, name: name ?? "", detail: {}, file_info: {}, file: {}, ...state }];
}
