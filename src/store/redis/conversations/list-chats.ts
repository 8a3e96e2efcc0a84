import { type Static, Type } from "@sinclair/typebox";
import type { StoredChat } from "../../../core/store.js";
import { parseReply } from "../reply.js";
import { findChat as findChatRecord } from "./chat-record.js";
import { decodeNumber, defineConversationScript } from "./conversation-script.js";
import { parseChatName } from "./node-record.js";

/** Name, scope, due time and failed deletions of a chat. Redis returns due times as text. */
const FoundChat = Type.Tuple([Type.String(), Type.String(), Type.String(), Type.Number()]);
const DueChats = Type.Tuple([Type.Array(FoundChat), Type.Number()]);
const ListedChat = Type.Tuple([Type.String(), Type.Number(), FoundChat]);
const ChatList = Type.Tuple([Type.Number(), Type.Array(ListedChat)]);

/** Source of a function that returns a chat as FoundChat. */
const describeChat = `
local function describe_chat(number, chat)
  return { chat.name, chat.scope, redis.call('ZSCORE', due, number), chat.attempts }
end`;

export const findChat = defineConversationScript({
  name: "find-chat",
  keys: ["numbers", "chats", "due"],
  args: ["name"],
  functions: [findChatRecord, describeChat],
  body: `
local number, chat = find_chat(name)
return number and describe_chat(number, chat) or false`,
  parse: (reply) => (reply === null ? undefined : toStoredChat(parseReply(FoundChat, reply))),
});

/**
 * The chats of these upstreams, a JSON array, among `batch` due ones from this position on, the longest overdue first. Also
 * returns how many were read; fewer than `batch` if there are no further ones.
 */
export const listDueChats = defineConversationScript({
  name: "list-due-chats",
  keys: ["chats", "due"],
  args: ["upstreams", "now", "position", "batch"],
  functions: [describeChat],
  body: `
local isListed = {}
for _, upstream in ipairs(cjson.decode(upstreams)) do isListed[upstream] = true end
local numbers = redis.call('ZRANGE', due, '-inf', now, 'BYSCORE', 'LIMIT', position, batch)
local found = {}
for _, number in ipairs(numbers) do
  local chat = cjson.decode(redis.call('HGET', chats, number))
  if isListed[cjson.decode(chat.name)[1]] then table.insert(found, describe_chat(number, chat)) end
end
return { found, #numbers }`,
  parse: (reply) => {
    const [chats, read] = parseReply(DueChats, reply);
    return { chats: chats.map(toStoredChat), read };
  },
});

/** How many chats are in a list, and those before a number, the last ones first, each with its number and turns. */
export const listChats = defineConversationScript({
  name: "list-chats",
  keys: ["chats", "lists", "due", "places"],
  args: ["list", "before", "limit"],
  functions: [describeChat],
  body: `
local from = '[' .. list .. ' '
local members = redis.call('ZRANGE', lists, '(' .. list .. ' ' .. before, from, 'BYLEX', 'REV', 'LIMIT', 0, limit)
local found = {}
for i, member in ipairs(members) do
  local number = string.sub(member, -10)
  local chat = cjson.decode(redis.call('HGET', chats, number))
  local place = tonumber(chat.place, 16)
  found[i] = { number, redis.call('ZCOUNT', places, place, place), describe_chat(number, chat) }
end
return { redis.call('ZLEXCOUNT', lists, from, '(' .. list .. '!'), found }`,
  parse: (reply) => {
    const [total, chats] = parseReply(ChatList, reply);
    return {
      total,
      chats: chats.map(([number, turns, chat]) => ({
        number: decodeNumber(number),
        chat: { ...toStoredChat(chat), turns },
      })),
    };
  },
});

function toStoredChat([name, scope, dueAt, attempts]: Static<typeof FoundChat>): StoredChat {
  return { ...parseChatName(name), scope, dueAt: Number(dueAt), attempts };
}
