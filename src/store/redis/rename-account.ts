import { conversationKeys } from "./conversations/conversation-script.js";
import { parseText } from "./reply.js";
import { defineScript } from "./script.js";

/**
 * Moves credentials and chats to another account. KEYS: credentials, fences, the last token, then `renamedChatKeys`. ARGV: both
 * names, the sealed credentials as they were read and as they are to be, and both names as JSON. `changed` if they were saved
 * since they were read, `taken` if the other account has some.
 */
export const renameAccount = defineScript({
  name: "rename-account",
  source: `local credentials, fences, last_token, numbers, chats, lists = unpack(KEYS)
  local from, to, read, sealed, from_list, to_list = unpack(ARGV)
  if redis.call('HGET', credentials, from) ~= read then return 'changed' end
  if redis.call('HEXISTS', credentials, to) == 1 then return 'taken' end
  redis.call('HDEL', credentials, from)
  redis.call('HDEL', fences, from)
  redis.call('HSET', credentials, to, sealed)
  redis.call('HSET', fences, to, string.format('%.0f', tonumber(redis.call('GET', last_token) or 0) + 1))
  for _, member in ipairs(redis.call('ZRANGE', lists, '[' .. from_list .. ' ', '(' .. from_list .. '!', 'BYLEX')) do
    local number = string.sub(member, -10)
    local chat = cjson.decode(redis.call('HGET', chats, number))
    local name = '[' .. to_list .. string.sub(chat.name, #from_list + 2)
    if redis.call('HSETNX', numbers, name, number) == 1 then
      redis.call('HDEL', numbers, chat.name)
      redis.call('ZREM', lists, member)
      redis.call('ZADD', lists, 0, to_list .. ' ' .. number)
      chat.name = name
      redis.call('HSET', chats, number, cjson.encode(chat))
    end
  end
  return 'renamed'`,
  parse: parseText,
});

export const renamedChatKeys = [conversationKeys.numbers, conversationKeys.chats, conversationKeys.lists];
