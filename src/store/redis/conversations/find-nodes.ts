import { Type } from "@sinclair/typebox";
import { parseReply } from "../reply.js";
import { defineConversationScript, serverTime } from "./conversation-script.js";
import { FoundNode, parseNode } from "./node-record.js";

/** Source of a function that returns a node as FoundNode and the number of its parent, or nil for either. */
const readNode = `
local function read_node(id, time)
  local node = redis.call('HGET', nodes, id)
  if not node then return nil end
  local number, place, parent = string.match(node, '^%d (%x+) (%x+) (%x*) ')
  if parent == '' then parent = nil end
  local stored = redis.call('HGET', chats, number)
  if not stored then return { id, node }, parent end
  local chat = cjson.decode(stored)
  if chat.place ~= place or tonumber(redis.call('ZSCORE', due, number)) <= tonumber(now) then
    return { id, node }, parent
  end
  local answering = chat.claimed_until > time and chat.answering or false
  return { id, node, chat.name, chat.scope, chat.end_node or false, answering }, parent
end`;

const keys = ["nodes", "chats", "due"] as const;
const functions = [serverTime, readNode];
const parseNodes = (reply: unknown) => parseReply(Type.Array(FoundNode), reply).map(parseNode);

/**
 * The nodes under a key of an index (`path`, `answer` or `conversation`), newest first. Where the key is an answer that more
 * nodes have, it is not said which.
 */
export const findNodes = defineConversationScript({
  name: "find-nodes",
  keys: [...keys, "paths", "answers", "conversations"],
  args: ["by", "key", "limit", "now"],
  functions,
  body: `
local indexes = { path = paths, answer = answers, conversation = conversations }
local members = redis.call('ZRANGE', indexes[by], '(' .. key .. '!', '[' .. key .. ' ', 'BYLEX', 'REV',
  'LIMIT', 0, limit)
for i, member in ipairs(members) do members[i] = string.sub(member, -10) end
table.sort(members, function(a, b) return a > b end)
local time = server_time()
for i, id in ipairs(members) do members[i] = read_node(id, time) end
return members`,
  parse: parseNodes,
});

/** A node and those before it on its path, the newest first. */
export const findPath = defineConversationScript({
  name: "find-path",
  keys,
  args: ["id", "limit", "now"],
  functions,
  body: `
local time = server_time()
local path = {}
while id and #path < tonumber(limit) do
  local node, parent = read_node(id, time)
  if not node then break end
  table.insert(path, node)
  id = parent
end
return path`,
  parse: parseNodes,
});
