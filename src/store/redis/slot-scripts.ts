import { Type } from "@sinclair/typebox";
import type { SlotRenewal, SlotReply } from "../../core/shared-slots.js";
import { redisKey } from "./keys.js";
import { parseReply } from "./reply.js";
import { defineScript } from "./script.js";

/**
 * The keys of a pool. `leases`: slots in use, by expiry. `queue`: waiters, by their turn. `alive`: waiters, by expiry.
 * `rounds`: the latest round of each key that waits. `state`: the round being served, a counter, the settings of the latest
 * request, the earliest next start and the end of a pause.
 */
export function poolKeys(pool: string): string[] {
  return ["leases", "queue", "alive", "rounds", "state"].map((part) => redisKey("slots", part, pool));
}

/**
 * Common to the scripts; `ARGV[1]`: milliseconds of a lease, `ARGV[2]`: the channel. Times are those of the server, since the
 * clocks of processes differ. A waiter's turn is its round, then its number: in each round a key is served once.
 */
const prelude = `
local leases, queue, alive, rounds, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expiry = now + tonumber(ARGV[1])
local roundSize = 67108864

local function get(field) return tonumber(redis.call('HGET', state, field) or '0') or 0 end

local function purge()
  redis.call('ZREMRANGEBYSCORE', leases, '-inf', now)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now, 'LIMIT', 0, 1000)) do
    redis.call('ZREM', queue, id)
    redis.call('ZREM', alive, id)
  end
end

local function enqueue(id, key)
  local latest = tonumber(redis.call('HGET', rounds, key) or '-1')
  local round = math.max(get('round'), latest + 1)
  local number = redis.call('HINCRBY', state, 'number', 1) % roundSize
  redis.call('HSET', rounds, key, round)
  redis.call('ZADD', queue, round * roundSize + number, id)
  redis.call('ZADD', alive, expiry, id)
end

local function blockedFor()
  return math.max(get('nextStart'), get('pausedUntil')) - now
end

local function start(id)
  redis.call('ZADD', leases, expiry, id)
  redis.call('HSET', state, 'nextStart', now + get('minInterval'))
end

-- Returns after how many milliseconds the next waiter may start, if it waits for time alone.
local function grant()
  while redis.call('ZCARD', leases) < get('capacity') do
    local head = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
    if #head == 0 then
      redis.call('DEL', rounds)
      redis.call('HSET', state, 'round', 0)
      return 0
    end
    local blocked = blockedFor()
    if blocked > 0 then return blocked end
    redis.call('ZREM', queue, head[1])
    redis.call('ZREM', alive, head[1])
    redis.call('HSET', state, 'round', math.floor(tonumber(head[2]) / roundSize))
    start(head[1])
    redis.call('PUBLISH', ARGV[2], 'granted ' .. head[1])
  end
  return 0
end

local function expireLater()
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 86400000) end
end
purge()
`;

const Delay = Type.Integer({ minimum: 0 });

/** Arguments: lease, channel, id, key, capacity, depth, minInterval. */
export const requestSlot = defineScript({
  name: "request a slot",
  source: `${prelude}
local id, key, depth = ARGV[3], ARGV[4], tonumber(ARGV[6])
redis.call('HSET', state, 'capacity', ARGV[5], 'minInterval', ARGV[7])
grant()
local waiting = redis.call('ZCARD', queue)
if waiting == 0 and redis.call('ZCARD', leases) < get('capacity') and blockedFor() <= 0 then
  start(id)
  expireLater()
  return {'granted', 0, 0}
end
if waiting >= depth then return {'full', 0, 0} end
enqueue(id, key)
local delay = grant()
expireLater()
return {'waiting', waiting + 1, delay}`,
  parse: (reply): { reply: SlotReply; delay: number } => {
    const [state, position, delay] = parseReply(
      Type.Tuple([
        Type.Union([Type.Literal("granted"), Type.Literal("full"), Type.Literal("waiting")]),
        Type.Integer(),
        Delay,
      ]),
      reply,
    );
    return { reply: state === "waiting" ? { state, position } : { state }, delay };
  },
});

/** Arguments: lease, channel, id. Replies with the delay of the next start. */
export const releaseSlot = defineScript({
  name: "release a slot",
  source: `${prelude}
redis.call('ZREM', leases, ARGV[3])
redis.call('ZREM', queue, ARGV[3])
redis.call('ZREM', alive, ARGV[3])
return grant()`,
  parse: (reply) => parseReply(Delay, reply),
});

/** Arguments: lease, channel, capacity, minInterval, the number of held ids, these, then id and key of each waiter. */
export const renewSlots = defineScript({
  name: "renew slots",
  source: `${prelude}
local lost, granted = 0, {}
redis.call('HSET', state, 'capacity', ARGV[3], 'minInterval', ARGV[4])
local held = tonumber(ARGV[5])
for index = 6, 5 + held do
  if redis.call('ZADD', leases, expiry, ARGV[index]) == 1 then lost = lost + 1 end
end
for index = 6 + held, #ARGV, 2 do
  local id = ARGV[index]
  if redis.call('ZSCORE', leases, id) then
    redis.call('ZADD', leases, 'XX', expiry, id)
    table.insert(granted, id)
  elseif redis.call('ZSCORE', queue, id) then
    redis.call('ZADD', alive, expiry, id)
  else
    enqueue(id, ARGV[index + 1])
  end
end
local delay = grant()
expireLater()
return {lost, delay, granted}`,
  parse: (reply): SlotRenewal & { delay: number } => {
    const [lost, delay, granted] = parseReply(
      Type.Tuple([Type.Integer(), Delay, Type.Array(Type.String())]),
      reply,
    );
    return { lost, delay, granted };
  },
});

/** Arguments: lease, channel, milliseconds, the message for other processes. */
export const pausePool = defineScript({
  name: "pause a pool",
  source: `${prelude}
local ends = now + tonumber(ARGV[3])
if ends > get('pausedUntil') then
  redis.call('HSET', state, 'pausedUntil', ends)
  expireLater()
  redis.call('PUBLISH', ARGV[2], 'paused ' .. ARGV[4])
end
return 1`,
  parse: () => undefined,
});
