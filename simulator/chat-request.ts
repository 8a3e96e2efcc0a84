import { findScenario } from "./catalogue.js";
import type { NewTurn } from "./chats.js";
import { decodeEnvelope } from "./envelope.js";
import { ApiError } from "./errors.js";
import type { Files } from "./files.js";
import {
  asArray,
  asObject,
  asString,
  camelCaseKeys,
  getField,
  type JsonObject,
  parseObject,
} from "./json.js";
import type { Account } from "./tokens.js";

/** A validated request to `ChatService/Chat`. */
export type ChatRequest = {
  /** The parsed body as received. */
  body: JsonObject;
  turn: NewTurn;
  /** The echo of `chat.lastRequest` (kimi-web.md §5.1). */
  lastRequest: JsonObject;
  /** The attached files, as `chat.files` shows them (kimi-web.md §5.8). */
  files: JsonObject[];
};

/** The JSON object in the only frame of a request (kimi-web.md §2.1). Throws ApiError. */
export function parseRequestFrame(bytes: Buffer): JsonObject {
  const payload = decodeEnvelope(bytes);
  if (payload === undefined)
    throw invalidArgument("protocol error: the request is not one frame with flags 0");
  const body = parseObject(payload);
  if (!body) throw invalidArgument("the frame holds no JSON object");
  return body;
}

/** Validates a request as Kimi does (kimi-web.md §2.4). Throws ApiError. */
export function parseChatRequest(body: JsonObject, files: Files, account: Account): ChatRequest {
  const message = asObject(body.message);
  if (message?.role !== "user") throw invalidArgument("message.role must be user");
  const scenario = asString(body.scenario);
  if (!scenario || message.scenario !== scenario)
    throw invalidArgument("scenario and message.scenario differ");
  const options = asObject(body.options) ?? {};
  if (findScenario(asString(options.model) ?? "") !== scenario)
    throw invalidArgument("no such model in this scenario");
  const chatId = parseChatId(getField(body, "chat_id"), asString(options.model) ?? "");
  const blocks = asArray(message.blocks).map((block) => parseBlock(asObject(block) ?? {}, files, account));
  if (blocks.length === 0) throw invalidArgument("message.blocks is empty");
  return {
    body,
    turn: {
      chatId,
      parentId: asString(getField(message, "parent_id")),
      messageId: asString(message.id),
      text: blocks.map((block) => asString(asObject(block.text)?.content) ?? "").join("\n"),
      blocks,
      scenario,
    },
    lastRequest: { options: camelCaseKeys(options), tools: asArray(body.tools).map(camelCaseKeys), scenario },
    files: blocks.flatMap((block) => attachedFiles(block)),
  };
}

/** Undefined for a new chat, which K3 may also name by an empty id (kimi-web.md §5.6, §6 #23). */
function parseChatId(chatId: unknown, model: string): string | undefined {
  if (chatId === undefined || (chatId === "" && model.startsWith("k3-"))) return undefined;
  if (typeof chatId !== "string" || chatId === "") throw invalidArgument("chat_id is empty");
  return chatId;
}

/** A block as Kimi echoes it: text, or a file with its metadata. */
function parseBlock(block: JsonObject, files: Files, account: Account): JsonObject {
  const content = asObject(block.text)?.content;
  if (typeof content === "string") return { messageId: "", text: { content } };
  const id = asString(asObject(block.file)?.id);
  if (!id) throw invalidArgument("a block is neither text nor a file");
  return { file: files.describe(id, account) };
}

function attachedFiles(block: JsonObject): JsonObject[] {
  const file = asObject(block.file);
  return file ? [{ id: file.id, meta: file.meta }] : [];
}

function invalidArgument(message: string): ApiError {
  return new ApiError({ code: "invalid_argument" }, message);
}
