import { endClaim, findChat, saveChatRecord } from "./chat-record.js";
import { defineConversationScript, serverTime } from "./conversation-script.js";

/**
 * Claims the chat of a node for some milliseconds, and sets when it is due; see `ConversationStore.claimChat`. `is_line` and
 * `is_leaf` are 0 or 1.
 */
export const claimChat = defineConversationScript({
  name: "claim-chat",
  keys: ["nodes", "chats", "due"],
  args: ["id", "is_line", "is_leaf", "owner", "conversation", "duration", "due_at", "now"],
  functions: [serverTime, saveChatRecord],
  body: `
local node = redis.call('HGET', nodes, id)
if not node then return 0 end
local has_children, number, place = string.match(node, '^(%d) (%x+) (%x+) ')
local stored = redis.call('HGET', chats, number)
if not stored then return 0 end
local chat = cjson.decode(stored)
local time = server_time()
if chat.place ~= place or chat.claimed_until > time then return 0 end
if tonumber(redis.call('ZSCORE', due, number)) <= tonumber(now) then return 0 end
if is_line == '1' and chat.end_node ~= id then return 0 end
if is_leaf == '1' and has_children == '1' then return 0 end
chat.owner = owner
chat.answering = conversation
chat.claimed_until = time + math.floor(tonumber(duration))
chat.end_node = nil
chat.attempts = 0
redis.call('ZADD', due, due_at, number)
save_chat_record(number, chat)
return 1`,
  parse: (reply) => reply === 1,
});

/** Makes a claim last some milliseconds from now, if the owner still has it. */
export const extendClaim = defineConversationScript({
  name: "extend-claim",
  keys: ["numbers", "chats"],
  args: ["name", "owner", "duration"],
  functions: [serverTime, findChat, saveChatRecord],
  body: `
local number, chat = find_chat(name)
if not number or chat.owner ~= owner then return 0 end
chat.claimed_until = server_time() + math.floor(tonumber(duration))
save_chat_record(number, chat)
return 1`,
  parse: (reply) => reply === 1,
});

/** Ends the owner's claim; `end_node` is the node that is still at the chat's end, or empty. */
export const releaseChat = defineConversationScript({
  name: "release-chat",
  keys: ["numbers", "chats"],
  args: ["name", "owner", "end_node"],
  functions: [findChat, saveChatRecord, endClaim],
  body: `
local number, chat = find_chat(name)
if not number or chat.owner ~= owner then return 0 end
if end_node ~= '' then chat.end_node = end_node end
end_claim(chat)
save_chat_record(number, chat)
return 1`,
  parse: (reply) => reply === 1,
});
