import { Type } from "@sinclair/typebox";
import { parseReply } from "../reply.js";
import { defineConversationScript } from "./conversation-script.js";

const parseCount = (reply: unknown) => parseReply(Type.Number(), reply);

/** Source of a function that removes a node from everything. Returns its answers and its affinity. */
const removeNode = `
local function remove_node(id)
  local node = redis.call('HGET', nodes, id)
  local pattern = '^%d %x+ %x+ %x* (%S*) (%S*) (%S*) (%S*)\\n'
  local affinity, conversation, own_paths, own_answers = string.match(node, pattern)
  for path in string.gmatch(own_paths, '[^,]+') do
    redis.call('ZREM', paths, path .. ' ' .. id)
  end
  for answer in string.gmatch(own_answers, '[^,]+') do
    redis.call('ZREM', answers, answer .. ' ' .. conversation .. ' ' .. id)
  end
  redis.call('ZREM', conversations, conversation .. ' ' .. id)
  redis.call('ZREM', places, id)
  redis.call('ZREM', order, id)
  redis.call('HDEL', nodes, id)
  return own_answers, affinity
end`;

const keys = ["nodes", "order", "places", "paths", "answers", "conversations"] as const;

/** Removes at most `batch` tombstones whose place ended before a time, and those places without nodes. Returns how many. */
export const removeTombstones = defineConversationScript({
  name: "remove-tombstones",
  keys: [...keys, "ended"],
  args: ["before", "batch"],
  functions: [removeNode],
  body: `
local removed = 0
while removed < tonumber(batch) do
  local place = redis.call('ZRANGE', ended, '-inf', '(' .. before, 'BYSCORE', 'LIMIT', 0, 1)[1]
  if not place then return removed end
  local score = tonumber(place, 16)
  local ids = redis.call('ZRANGE', places, score, score, 'BYSCORE', 'LIMIT', 0, batch - removed)
  for _, id in ipairs(ids) do remove_node(id) end
  if redis.call('ZCOUNT', places, score, score) == 0 then redis.call('ZREM', ended, place) end
  removed = removed + math.max(#ids, 1)
end
return removed`,
  parse: parseCount,
});

/** Removes at most `batch` of the oldest nodes beyond a limit, whose answers are forgotten then. Returns how many. */
export const removeOldestNodes = defineConversationScript({
  name: "remove-oldest-nodes",
  keys: [...keys, "forgotten"],
  args: ["most", "batch", "now"],
  functions: [removeNode],
  body: `
local excess = math.min(redis.call('ZCARD', order) - most, tonumber(batch))
if excess <= 0 then return 0 end
for _, id in ipairs(redis.call('ZRANGE', order, 0, excess - 1)) do
  local own_answers, affinity = remove_node(id)
  for answer in string.gmatch(own_answers, '[^,]+') do
    redis.call('ZADD', forgotten, now, answer)
    if affinity ~= '' then redis.call('ZADD', forgotten, now, answer .. ' ' .. affinity) end
  end
end
return excess`,
  parse: parseCount,
});

/** Removes at most `batch` answers that were forgotten before a time, or are beyond a limit. Returns how many. */
export const removeForgottenAnswers = defineConversationScript({
  name: "remove-forgotten-answers",
  keys: ["forgotten"],
  args: ["before", "most", "batch"],
  body: `
local old = redis.call('ZCOUNT', forgotten, '-inf', '(' .. before)
local excess = math.min(math.max(old, redis.call('ZCARD', forgotten) - most), tonumber(batch))
if excess <= 0 then return 0 end
return redis.call('ZREMRANGEBYRANK', forgotten, 0, excess - 1)`,
  parse: parseCount,
});
