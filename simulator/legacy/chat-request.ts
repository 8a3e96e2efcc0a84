import type { Chat, Exchange, Message } from "../chats.js";
import { Refusal } from "../errors.js";
import { type JsonObject, list, object, text } from "../json.js";
import type { Person } from "../tokens.js";
import type { LegacyFiles } from "./files.js";

/** What a completion asks for: an answer to something new, or the rest of one that was cut to length. */
export type Completion = { continued: Exchange } | { continued: undefined; content: string; model: string };

/** Checks the body of `completion/stream` as Kimi would (kimi-web.md §1.4); throws the refusal. */
export function readCompletion(body: JsonObject, chat: Chat, files: LegacyFiles, person: Person): Completion {
  const model = text(body.kimiplus_id) ?? "kimi";
  if (!/^(kimi|[0-9a-v]{20})$/.test(model)) throw invalid("no such kimiplus_id");
  const [message, ...others] = list(body.messages).map(object);
  const content = text(message?.content);
  if (message?.role !== "user" || content === undefined || others.length > 0)
    throw invalid("messages must be one message of the user's");
  if (body.action === "continue") return { continued: unfinished(chat, text(body.segment_id)) };
  if (body.action !== undefined) throw invalid("no such action");
  for (const id of list(body.refs)) files.expectReadable(text(id) ?? "", person);
  return { continued: undefined, content, model };
}

/** The last exchange, by the id of its question or of its answer: the sources disagree on which (kimi-web.md §1.4). */
function unfinished(chat: Chat, segmentId: string | undefined): Exchange {
  const assistant = chat.last;
  const user = chat.messages.get(assistant?.parentId ?? "");
  if (!assistant || !user || !isOne(segmentId, user, assistant))
    throw invalid("segment_id is not the latest");
  if (assistant.rest.length === 0) throw invalid("this answer has no rest");
  return { chat, isNew: false, user, assistant, history: [] };
}

function isOne(id: string | undefined, ...messages: Message[]): boolean {
  return messages.some((message) => message.id === id);
}

function invalid(message: string): Refusal {
  return new Refusal({ code: "invalid_argument" }, message);
}
