import { scenarioOf } from "./catalogue.js";
import type { NewTurn } from "./chats.js";
import { openEnvelope } from "./envelope.js";
import { Refusal } from "./errors.js";
import type { Files } from "./files.js";
import { camelKeys, field, type JsonObject, list, object, parseObject, text } from "./json.js";
import type { Person } from "./tokens.js";

export type ChatRequest = {
  /** As it came. */
  body: JsonObject;
  turn: NewTurn;
  /** The echo of `chat.lastRequest` (kimi-web.md §5.1). */
  lastRequest: JsonObject;
  /** The attached files, as `chat.files` shows them (kimi-web.md §5.8). */
  files: JsonObject[];
};

/** The JSON in the one frame of a request (kimi-web.md §2.1). */
export function readFrame(bytes: Buffer): JsonObject {
  const payload = openEnvelope(bytes);
  if (payload === undefined) throw invalid("protocol error: the request is not one frame with flags 0");
  const body = parseObject(payload);
  if (!body) throw invalid("the frame holds no JSON object");
  return body;
}

/** Checks a request as Kimi would (kimi-web.md §2.4); throws the refusal. */
export function readChatRequest(body: JsonObject, files: Files, person: Person): ChatRequest {
  const message = object(body.message);
  if (message?.role !== "user") throw invalid("message.role must be user");
  const scenario = text(body.scenario);
  if (!scenario || message.scenario !== scenario) throw invalid("scenario and message.scenario differ");
  const options = object(body.options) ?? {};
  if (scenarioOf(text(options.model) ?? "") !== scenario) throw invalid("no such model in this scenario");
  const chatId = field(body, "chat_id");
  if (chatId !== undefined && (typeof chatId !== "string" || chatId === ""))
    throw invalid("chat_id is empty");
  const blocks = list(message.blocks).map((block) => readBlock(object(block) ?? {}, files, person));
  if (blocks.length === 0) throw invalid("message.blocks is empty");
  return {
    body,
    turn: {
      chatId,
      parentId: text(field(message, "parent_id")),
      messageId: text(message.id),
      text: blocks.map((block) => text(object(block.text)?.content) ?? "").join("\n"),
      blocks,
      scenario,
    },
    lastRequest: { options: camelKeys(options), tools: list(body.tools).map(camelKeys), scenario },
    files: blocks.flatMap((block) => fileOf(block)),
  };
}

/** A block as Kimi echoes it: text, or a file with what is known of it. */
function readBlock(block: JsonObject, files: Files, person: Person): JsonObject {
  const content = object(block.text)?.content;
  if (typeof content === "string") return { messageId: "", text: { content } };
  const id = text(object(block.file)?.id);
  if (!id) throw invalid("a block is neither text nor a file");
  return { file: files.describe(id, person) };
}

function fileOf(block: JsonObject): JsonObject[] {
  const file = object(block.file);
  return file ? [{ id: file.id, meta: file.meta }] : [];
}

function invalid(message: string): Refusal {
  return new Refusal({ code: "invalid_argument" }, message);
}
