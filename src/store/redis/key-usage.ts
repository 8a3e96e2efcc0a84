import { Type } from "@sinclair/typebox";
import type { KeyUsage, KeyUsageStore } from "../../core/store.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { parseReply, parseText } from "./reply.js";
import { defineScript } from "./script.js";

const dayMs = 86_400_000;
/** Days before that of a request whose figures are kept. */
const keptDays = 7;
/** The figures of a key that is not used any more are kept for so long, in milliseconds. */
const lifetime = (keptDays + 1) * dayMs;

const NumberText = Type.Union([Type.String(), Type.Null()]);
const Figures = Type.Tuple([NumberText, NumberText]);
const UsedUp = Type.Union([Type.Literal(""), Type.Literal("requests"), Type.Literal("tokens")]);

/** KEYS: what the key has used. ARGV: day, requests, tokens, the oldest day that is kept, lifetime. */
const countRequest = defineScript({
  name: "count-request",
  source: `for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.match(field, '^[^ ]+') < ARGV[4] then redis.call('HDEL', KEYS[1], field) end
  end
  local used = redis.call('HMGET', KEYS[1], ARGV[1] .. ' requests', ARGV[1] .. ' tokens')
  if tonumber(used[1] or 0) >= tonumber(ARGV[2]) then return 'requests' end
  if tonumber(used[2] or 0) >= tonumber(ARGV[3]) then return 'tokens' end
  redis.call('HINCRBY', KEYS[1], ARGV[1] .. ' requests', 1)
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  return ''`,
  parse: (reply) => parseReply(UsedUp, reply),
});

/** KEYS: what the key has used. ARGV: day, tokens, lifetime. */
const addTokens = defineScript({
  name: "add-tokens",
  source: `redis.call('HINCRBY', KEYS[1], ARGV[1] .. ' tokens', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 'OK'`,
  parse: parseText,
});

/** What API keys have used: a hash for each, with a field for each day and figure. */
export class RedisKeyUsage implements KeyUsageStore {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async countRequest(
    key: string,
    day: string,
    { requests = Number.MAX_SAFE_INTEGER, tokens = Number.MAX_SAFE_INTEGER }: Partial<KeyUsage>,
  ): Promise<keyof KeyUsage | undefined> {
    const oldest = new Date(Date.parse(day) - keptDays * dayMs).toISOString().slice(0, 10);
    const args = [day, requests, tokens, oldest, lifetime];
    const usedUp = await this.#connection.run(countRequest, [keyUsageKey(key)], args);
    return usedUp === "" ? undefined : usedUp;
  }

  async addTokens(key: string, day: string, tokens: number): Promise<void> {
    await this.#connection.run(addTokens, [keyUsageKey(key)], [day, Math.round(tokens), lifetime]);
  }

  async findKeyUsage(key: string, day: string): Promise<KeyUsage> {
    const reply = await this.#connection.send("HMGET", keyUsageKey(key), `${day} requests`, `${day} tokens`);
    return this.#connection.parse((figures) => {
      const [requests, tokens] = parseReply(Figures, figures).map(Number);
      return { requests: requests ?? 0, tokens: tokens ?? 0 };
    }, reply);
  }
}

/** What the key of this name has used. */
export function keyUsageKey(name: string): string {
  return redisKey("key-usage", name);
}
