import type { Chat, ChatTurn, Message } from "../chats.js";
import { ApiError } from "../errors.js";
import { asArray, asObject, asString, type JsonObject } from "../json.js";
import type { Account } from "../tokens.js";
import type { LegacyFiles } from "./files.js";

/** A request for an answer to a new message, or for the rest of a truncated answer. */
export type Completion =
  | { truncatedTurn: ChatTurn }
  | { truncatedTurn: undefined; content: string; model: string };

/** Validates the body of `completion/stream` as Kimi does (kimi-web.md §1.4). Throws ApiError. */
export function parseCompletion(
  body: JsonObject,
  chat: Chat,
  files: LegacyFiles,
  account: Account,
): Completion {
  const model = asString(body.kimiplus_id) ?? "kimi";
  if (!/^(kimi|[0-9a-v]{20})$/.test(model)) throw invalidArgument("no such kimiplus_id");
  const [message, ...others] = asArray(body.messages).map(asObject);
  const content = asString(message?.content);
  if (message?.role !== "user" || content === undefined || others.length > 0)
    throw invalidArgument("messages must be one message of the user's");
  if (body.action === "continue")
    return { truncatedTurn: findTruncatedTurn(chat, asString(body.segment_id)) };
  if (body.action !== undefined) throw invalidArgument("no such action");
  for (const id of asArray(body.refs)) files.requireParsed(asString(id) ?? "", account);
  return { truncatedTurn: undefined, content, model };
}

/** The last turn. `segmentId` may be the id of either message, since the sources disagree on which (kimi-web.md §1.4). */
function findTruncatedTurn(chat: Chat, segmentId: string | undefined): ChatTurn {
  const assistant = chat.latestMessage;
  const user = chat.messages.get(assistant?.parentId ?? "");
  if (!assistant || !user || !hasId(segmentId, user, assistant))
    throw invalidArgument("segment_id is not the latest");
  if (assistant.remainingSteps.length === 0) throw invalidArgument("this answer has no rest");
  return { chat, isNew: false, system: undefined, user, assistant, history: [] };
}

function hasId(id: string | undefined, ...messages: Message[]): boolean {
  return messages.some((message) => message.id === id);
}

function invalidArgument(message: string): ApiError {
  return new ApiError({ code: "invalid_argument" }, message);
}
