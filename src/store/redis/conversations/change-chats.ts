import { Type } from "@sinclair/typebox";
import { parseReply } from "../reply.js";
import { findChat, leavePlace, saveChatRecord } from "./chat-record.js";
import { defineConversationScript, nextSerial, serverTime } from "./conversation-script.js";

const parseNothing = () => undefined;

/** Stores a new chat, or changes when a stored one of the same scope is due. `list` is its upstream as JSON. */
export const saveChat = defineConversationScript({
  name: "save-chat",
  keys: ["numbers", "chats", "lists", "due", "serial"],
  args: ["name", "list", "scope", "due_at"],
  functions: [findChat, saveChatRecord, nextSerial],
  body: `
local number, chat = find_chat(name)
if number and chat.scope ~= scope then return end
if not number then
  number = next_serial()
  chat = { name = name, scope = scope, place = number, claimed_until = 0 }
  redis.call('HSET', numbers, name, number)
  redis.call('ZADD', lists, 0, '* ' .. number, 0, list .. ' ' .. number)
end
chat.attempts = 0
redis.call('ZADD', due, due_at, number)
save_chat_record(number, chat)`,
  parse: parseNothing,
});

export const postponeChat = defineConversationScript({
  name: "postpone-chat",
  keys: ["numbers", "chats", "due"],
  args: ["name", "due_at"],
  functions: [findChat, saveChatRecord],
  body: `
local number, chat = find_chat(name)
if not number then return end
chat.attempts = chat.attempts + 1
redis.call('ZADD', due, due_at, number)
save_chat_record(number, chat)`,
  parse: parseNothing,
});

export const detachNodes = defineConversationScript({
  name: "detach-nodes",
  keys: ["numbers", "chats", "places", "ended", "serial"],
  args: ["name", "now"],
  functions: [findChat, saveChatRecord, nextSerial, leavePlace],
  body: `
local number, chat = find_chat(name)
if not number then return end
leave_place(chat, now)
save_chat_record(number, chat)`,
  parse: parseNothing,
});

export const removeChat = defineConversationScript({
  name: "remove-chat",
  keys: ["numbers", "chats", "lists", "due", "places", "ended", "serial"],
  args: ["name", "list", "now"],
  functions: [findChat, nextSerial, leavePlace],
  body: `
local number, chat = find_chat(name)
if not number then return end
leave_place(chat, now)
redis.call('HDEL', numbers, name)
redis.call('HDEL', chats, number)
redis.call('ZREM', lists, '* ' .. number, list .. ' ' .. number)
redis.call('ZREM', due, number)`,
  parse: parseNothing,
});

const Progress = Type.Tuple([Type.Number(), Type.String()]);

/**
 * Makes chats of a list due that are not, except those that a turn is using: of the next `batch` after the member `cursor`.
 * Returns the number of those changed and the next cursor, which is empty at the end.
 */
export const makeChatsDue = defineConversationScript({
  name: "make-chats-due",
  keys: ["chats", "lists", "due"],
  args: ["list", "cursor", "batch", "now"],
  functions: [serverTime, saveChatRecord],
  body: `
local from = cursor == '' and '[' .. list .. ' ' or '(' .. cursor
local members = redis.call('ZRANGE', lists, from, '(' .. list .. '!', 'BYLEX', 'LIMIT', 0, batch)
local time = server_time()
local changed = 0
for _, member in ipairs(members) do
  local number = string.sub(member, -10)
  local chat = cjson.decode(redis.call('HGET', chats, number))
  if chat.claimed_until <= time and tonumber(redis.call('ZSCORE', due, number)) > tonumber(now) then
    chat.attempts = 0
    redis.call('ZADD', due, now, number)
    save_chat_record(number, chat)
    changed = changed + 1
  end
end
return { changed, #members == tonumber(batch) and members[#members] or '' }`,
  parse: (reply) => {
    const [changed, cursor] = parseReply(Progress, reply);
    return { changed, cursor };
  },
});
