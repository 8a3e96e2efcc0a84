import { Type } from "@sinclair/typebox";
import { parseReply } from "../reply.js";
import { defineConversationScript } from "./conversation-script.js";

/** Which of some hashes, a JSON array, are a path or an answer of some node. */
export const knownHashes = defineConversationScript({
  name: "known-hashes",
  keys: ["paths", "answers"],
  args: ["hashes"],
  body: `
local known = {}
for _, hash in ipairs(cjson.decode(hashes)) do
  for _, index in ipairs({ paths, answers }) do
    if #redis.call('ZRANGE', index, '[' .. hash .. ' ', '(' .. hash .. '!', 'BYLEX', 'LIMIT', 0, 1) > 0 then
      table.insert(known, hash)
      break
    end
  end
end
return known`,
  parse: (reply) => parseReply(Type.Array(Type.String()), reply),
});
