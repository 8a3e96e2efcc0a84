import { findScenario, isModel } from "./catalogue.js";
import type { NewTurn } from "./chats.js";
import { isToolType, isUserRole, scenarioName, toolTypeName } from "./enums.js";
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
import type { Strictness } from "./strictness.js";
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

/**
 * Validates a request: every form of a client that works against the live site is accepted (kimi-web.md §2.4, §6 row 25),
 * except those that `strictness` names. Throws ApiError.
 */
export function parseChatRequest(
  body: JsonObject,
  files: Files,
  account: Account,
  strictness: ReadonlySet<Strictness>,
): ChatRequest {
  // In proto JSON an empty string is the same as a missing one.
  const message = asObject(body.message);
  if (!isUserRole(message?.role)) throw invalidArgument("message.role must be user");
  const scenario = scenarioName(body.scenario || message?.scenario);
  if (!scenario) throw invalidArgument("no such scenario");
  if (message?.scenario && !scenarioName(message.scenario)) throw invalidArgument("no such message.scenario");
  const options = asObject(body.options) ?? {};
  if (options.model && !isModel(options.model)) throw invalidArgument("no such model");
  for (const name of strictness) {
    if (isRefused[name](body, scenario)) throw invalidArgument(`refused by the strictness "${name}"`);
  }
  const blocks = asArray(message?.blocks).map((block) => parseBlock(asObject(block) ?? {}, files, account));
  if (blocks.length === 0) throw invalidArgument("message.blocks is empty");
  return {
    body,
    turn: {
      chatId: readId(body, "chat_id"),
      parentId: readId(message, "parent_id"),
      messageId: readId(message, "id"),
      text: blocks.map((block) => asString(asObject(block.text)?.content) ?? "").join("\n"),
      blocks,
      scenario,
    },
    lastRequest: lastRequestJson(options, asArray(body.tools), scenario),
    files: blocks.flatMap((block) => {
      const id = asString(asObject(block.file)?.id);
      return id === undefined ? [] : [files.attachment(id, account)];
    }),
  };
}

/** True for a request that this refusal of kimi-web.md concerns; see strictness.ts. */
const isRefused: Record<Strictness, (body: JsonObject, scenario: string) => boolean> = {
  model: ({ options }, scenario) => findScenario(asString(asObject(options)?.model) ?? "") !== scenario,
  "message-scenario": (body) => asObject(body.message)?.scenario !== body.scenario,
  "empty-chat-id": (body) => getField(body, "chat_id") === "",
  "missing-chat-id": (body, scenario) =>
    /OK_COMPUTER|K3/.test(scenario) && getField(body, "chat_id") === undefined,
  "empty-parent-id": ({ message }) => getField(asObject(message), "parent_id") === "",
  "numeric-enum": ({ scenario, message, tools }) =>
    [scenario, asObject(message)?.scenario, asObject(message)?.role, ...asArray(tools).map(toolType)].some(
      (value) => typeof value === "number",
    ),
  "tool-type": ({ tools }) => asArray(tools).some((tool) => !isToolType(toolTypeName(toolType(tool)))),
  "system-prompt": ({ options }) => getField(asObject(options), "system_prompt") !== undefined,
};

function toolType(tool: unknown): unknown {
  return asObject(tool)?.type;
}

/** The id in a field; undefined if it is missing or empty. */
function readId(object: JsonObject | undefined, name: string): string | undefined {
  const id = getField(object, name);
  if (id !== undefined && typeof id !== "string") throw invalidArgument(`${name} is not a string`);
  return id || undefined;
}

/** As in proto JSON, an empty list is left out (kimi-web.md §5.1). */
function lastRequestJson(options: JsonObject, tools: readonly unknown[], scenario: string): JsonObject {
  const namedTools = tools.map((tool) => ({ ...asObject(tool), type: toolTypeName(toolType(tool)) }));
  return {
    options: camelCaseKeys(options),
    ...(tools.length > 0 ? { tools: namedTools.map(camelCaseKeys) } : {}),
    scenario,
  };
}

/** A block as Kimi echoes it: text, or a file with its metadata. */
function parseBlock(block: JsonObject, files: Files, account: Account): JsonObject {
  const content = asObject(block.text)?.content;
  if (typeof content === "string") return { messageId: "", text: { content } };
  const id = asString(asObject(block.file)?.id);
  if (!id) throw invalidArgument("a block is neither text nor a file");
  return { file: files.describe(id, account) };
}

function invalidArgument(message: string): ApiError {
  return new ApiError({ code: "invalid_argument" }, message);
}
