import { Type } from "@sinclair/typebox";
import type { BucketState, RateAllowance, SharedBuckets } from "../../core/shared-buckets.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { parseReply } from "./reply.js";
import { defineScript } from "./script.js";

/**
 * Arguments: tokens, refillMs, tokens to take. Replies with whether they were taken, the whole tokens that are left, and the
 * milliseconds until one is available and until the bucket is full.
 */
const takeTokens = defineScript({
  name: "take tokens",
  source: `
local capacity, refill, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('HMGET', KEYS[1], 'level', 'at')
local level, at = tonumber(stored[1] or ''), tonumber(stored[2] or '')
if level and at then
  level = math.min(capacity, level + math.max(0, now - at) * capacity / refill)
else
  level = capacity
end
local taken = 0
if count > 0 and level + 1e-9 >= count then
  level = level - count
  taken = 1
  redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', now)
  redis.call('PEXPIRE', KEYS[1], math.ceil(refill))
end
local function delay(wanted) return math.max(0, math.ceil((wanted - level) * refill / capacity)) end
return {taken, math.floor(level + 1e-6), delay(1), delay(capacity)}`,
  parse: (reply) =>
    parseReply(Type.Tuple([Type.Integer(), Type.Integer(), Type.Integer(), Type.Integer()]), reply),
});

/** Token buckets in Redis, by the clock of the server; a bucket that is full again is no key. */
export class RedisBuckets implements SharedBuckets {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async take(name: string, allowance: RateAllowance): Promise<BucketState & { isTaken: boolean }> {
    return this.#run(name, allowance, 1);
  }

  async state(name: string, allowance: RateAllowance): Promise<BucketState> {
    const { isTaken: _, ...state } = await this.#run(name, allowance, 0);
    return state;
  }

  async #run(name: string, { tokens, refillMs }: RateAllowance, count: number) {
    const args = [tokens, refillMs, count];
    const keys = [redisKey("bucket", name)];
    const [taken, remaining, next, full] = await this.#connection.run(takeTokens, keys, args);
    const seconds = (milliseconds: number) => Math.ceil(milliseconds / 1_000);
    return {
      isTaken: taken === 1,
      ...{ remaining, secondsToNext: seconds(next), secondsToFull: seconds(full) },
    };
  }
}
