/**
 * Sources of functions on stored chats, which are JSON objects: `name` (upstream and chat as JSON), `scope`, `attempts`,
 * `place`, the node at its `end`, and while a turn uses it, `owner`, `answering` (the turn's conversation) and
 * `claimed_until` by the server's clock; 0 without a claim. When it is due is in a sorted set.
 */
export const findChat = `
local function find_chat(name)
  local number = redis.call('HGET', numbers, name)
  if not number then return nil end
  return number, cjson.decode(redis.call('HGET', chats, number))
end`;

export const saveChatRecord = `
local function save_chat_record(number, chat)
  redis.call('HSET', chats, number, cjson.encode(chat))
end`;

export const endClaim = `
local function end_claim(chat)
  chat.owner = nil
  chat.answering = nil
  chat.claimed_until = 0
end`;

/** The nodes lose their chat at a time; the chat stays, with a new place. */
export const leavePlace = `
local function leave_place(chat, now)
  if redis.call('ZCOUNT', places, tonumber(chat.place, 16), tonumber(chat.place, 16)) > 0 then
    redis.call('ZADD', ended, now, chat.place)
  end
  chat.place = next_serial()
end`;
