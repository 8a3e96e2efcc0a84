import { Type } from "@sinclair/typebox";
import { limits } from "../../core/limits.js";
import type { ResponseStore, StoredResponse } from "../../core/store.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { parseFlag, parseReply, parseText } from "./reply.js";
import { defineScript } from "./script.js";

/** Id, owner, the one that it continues (may be empty), body and expiry. */
const Row = Type.Tuple([Type.String(), Type.String(), Type.String(), Type.String(), Type.String()]);
const Rows = Type.Array(Row);

/** Answers that one save removes at most, so that no other call waits long. */
const removalsPerSave = 500;

/** Hashes: id -> owner, and the id of the response that it continues. */
export const responseOwnersKey = redisKey("responses", "owners");
export const responsesPreviousKey = redisKey("responses", "previous");
const responseKeys = [
  ...[redisKey("responses", "bodies"), responseOwnersKey, responsesPreviousKey],
  ...[redisKey("responses", "expiry"), redisKey("responses", "size")],
];

/** Common to the scripts, whose KEYS are `responseKeys`. Sizes are those of bodies, in bytes. */
const functions = `local bodies, owners, previous, expiry, size = unpack(KEYS)
local function remove(id)
  redis.call('DECRBY', size, redis.call('HSTRLEN', bodies, id))
  redis.call('HDEL', bodies, id)
  redis.call('HDEL', owners, id)
  redis.call('HDEL', previous, id)
  redis.call('ZREM', expiry, id)
end
local function next_of(id) return redis.call('HGET', previous, id) or '' end
local function belongs_to(id, owner) return redis.call('HGET', owners, id) == owner end
`;

/** ARGV: id, owner, previous, body, expiry, now, turns of a path, limits: answers, bytes, removals. */
const saveResponse = defineScript({
  name: "save-response",
  source: `${functions}
  if redis.call('HSETNX', bodies, ARGV[1], ARGV[4]) == 0 then return redis.error_reply('ERR the id is taken') end
  redis.call('INCRBY', size, #ARGV[4])
  redis.call('HSET', owners, ARGV[1], ARGV[2])
  redis.call('ZADD', expiry, ARGV[5], ARGV[1])
  if ARGV[3] ~= '' then redis.call('HSET', previous, ARGV[1], ARGV[3]) end
  local id = ARGV[3]
  for _ = 1, tonumber(ARGV[7]) do
    if id == '' or not belongs_to(id, ARGV[2]) then break end
    redis.call('ZADD', expiry, 'XX', 'GT', ARGV[5], id)
    id = next_of(id)
  end
  for _, expired in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', ARGV[6], 'LIMIT', 0, ARGV[10])) do remove(expired) end
  for _ = 1, tonumber(ARGV[10]) do
    local is_over = redis.call('ZCARD', expiry) > tonumber(ARGV[8]) or tonumber(redis.call('GET', size)) > tonumber(ARGV[9])
    if not is_over then break end
    remove(redis.call('ZRANGE', expiry, 0, 0)[1])
  end
  return 'OK'`,
  parse: parseText,
});

/** ARGV: owner, id, limit, bytes, now. */
const findResponses = defineScript({
  name: "find-responses",
  source: `${functions}
  local rows, read, id = {}, 0, ARGV[2]
  while #rows < tonumber(ARGV[3]) and (#rows == 0 or read < tonumber(ARGV[4])) do
    local expires = redis.call('ZSCORE', expiry, id)
    if not expires or tonumber(expires) <= tonumber(ARGV[5]) or not belongs_to(id, ARGV[1]) then break end
    local body = redis.call('HGET', bodies, id)
    rows[#rows + 1] = { id, ARGV[1], next_of(id), body, expires }
    read = read + #body
    id = next_of(id)
  end
  return rows`,
  parse: (reply) =>
    parseReply(Rows, reply).map(
      ([id, owner, previous, body, expiresAt]): StoredResponse => ({
        ...{ id, owner, body, expiresAt: Number(expiresAt) },
        ...(previous === "" ? {} : { previous }),
      }),
    ),
});

/** ARGV: owner, id. */
const removeResponse = defineScript({
  name: "remove-response",
  source: `${functions}
  if not belongs_to(ARGV[2], ARGV[1]) then return 0 end
  remove(ARGV[2])
  return 1`,
  parse: parseFlag,
});

/** Answers that clients can name: hashes by id, and a sorted set of the ids by expiry. */
export class RedisResponses implements ResponseStore {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async saveResponse(
    { id, owner, previous = "", body, expiresAt }: StoredResponse,
    now: number,
  ): Promise<void> {
    const { pathTurns, storedResponses, storedResponseText } = limits;
    await this.#connection.run(saveResponse, responseKeys, [
      ...[id, owner, previous, body, Math.round(expiresAt), Math.round(now)],
      ...[pathTurns, storedResponses, storedResponseText, removalsPerSave],
    ]);
  }

  findResponses(
    ...[owner, id, { limit, bytes }, now]: Parameters<ResponseStore["findResponses"]>
  ): Promise<readonly StoredResponse[]> {
    return this.#connection.run(findResponses, responseKeys, [owner, id, limit, bytes, Math.round(now)]);
  }

  removeResponse(owner: string, id: string): Promise<boolean> {
    return this.#connection.run(removeResponse, responseKeys, [owner, id]);
  }
}
