import { endClaim, findChat, saveChatRecord } from "./chat-record.js";
import { defineConversationScript } from "./conversation-script.js";

/**
 * Saves a finished turn, marks the node that it continues, and makes it the end of its chat, whose claim it ends. Nothing for
 * an unknown chat. Text of a node: see node-record.ts.
 */
export const saveNode = defineConversationScript({
  name: "save-node",
  keys: ["numbers", "chats", "nodes", "order", "places", "paths", "answers", "conversations"],
  args: ["name", "parent", "affinity", "conversation", "own_paths", "own_answers", "details"],
  functions: [findChat, saveChatRecord, endClaim],
  body: `
local number, chat = find_chat(name)
if not number then return 0 end
local newest = redis.call('ZRANGE', order, 0, 0, 'REV')[1] or '0'
local id = string.format('%010x', tonumber(newest, 16) + 1)
local header = { '0', number, chat.place, parent, affinity, conversation, own_paths, own_answers }
redis.call('HSET', nodes, id, table.concat(header, ' ') .. '\\n' .. details)
redis.call('ZADD', order, 0, id)
redis.call('ZADD', places, tonumber(chat.place, 16), id)
redis.call('ZADD', conversations, 0, conversation .. ' ' .. id)
for path in string.gmatch(own_paths, '[^,]+') do
  redis.call('ZADD', paths, 0, path .. ' ' .. id)
end
for answer in string.gmatch(own_answers, '[^,]+') do
  redis.call('ZADD', answers, 0, answer .. ' ' .. conversation .. ' ' .. id)
end
if parent ~= '' then
  local continued = redis.call('HGET', nodes, parent)
  if continued and string.sub(continued, 1, 1) == '0' then
    redis.call('HSET', nodes, parent, '1' .. string.sub(continued, 2))
  end
end
chat.end_node = id
end_claim(chat)
save_chat_record(number, chat)
return 1`,
  parse: (reply) => reply === 1,
});
