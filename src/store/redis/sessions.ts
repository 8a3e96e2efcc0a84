import { Type } from "@sinclair/typebox";
import type { SessionStore, StoredSession } from "../../core/session.js";
import { ScopesShape } from "../stored-shapes.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { parseCount, parseFlag, parseJson, parseOptionalText, parseText } from "./reply.js";
import { defineScript } from "./script.js";

const Session = Type.Object({
  sha256: Type.String(),
  key: Type.String(),
  keySha256: Type.Optional(Type.String()),
  scopes: ScopesShape,
  createdAt: Type.Number(),
  expiresAt: Type.Number(),
});

/** How far the clocks of two machines may differ, in milliseconds: a code is kept for so much longer than it is valid. */
const clockSkew = 600_000;

const [sessionsKey, creationKey, expiryKey] = [
  redisKey("sessions"),
  redisKey("sessions-by-creation"),
  redisKey("sessions-by-expiry"),
];
const sessionKeys = [sessionsKey, creationKey, expiryKey];

/** KEYS: sessions, by creation, by expiry. ARGV: hash, session, creation, expiry, limit. */
const addSession = defineScript({
  name: "add-session",
  source: `local function remove(hash)
    redis.call('HDEL', KEYS[1], hash)
    redis.call('ZREM', KEYS[2], hash)
    redis.call('ZREM', KEYS[3], hash)
  end
  for _, hash in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[3])) do remove(hash) end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
  local surplus = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[5])
  if surplus > 0 then
    for _, hash in ipairs(redis.call('ZRANGE', KEYS[2], 0, surplus - 1)) do remove(hash) end
  end
  return 'OK'`,
  parse: parseText,
});

/** KEYS as above. ARGV: hash. */
const removeSession = defineScript({
  name: "remove-session",
  source: `redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  return redis.call('HDEL', KEYS[1], ARGV[1])`,
  parse: parseFlag,
});

/** KEYS as above. */
const removeSessions = defineScript({
  name: "remove-sessions",
  source: `local count = redis.call('HLEN', KEYS[1])
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
  return count`,
  parse: parseCount,
});

/** KEYS: the code. ARGV: now. */
const takeCode = defineScript({
  name: "take-code",
  source: `local expires = redis.call('GET', KEYS[1])
  if not expires or tonumber(expires) <= tonumber(ARGV[1]) then return 0 end
  return redis.call('DEL', KEYS[1])`,
  parse: parseFlag,
});

/** The console's sessions, in one hash with two orders, and the codes that make one, each a key that expires. */
export class RedisSessions implements SessionStore {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async addSession(session: StoredSession, limit: number): Promise<void> {
    const { sha256, createdAt, expiresAt } = session;
    const args = [sha256, JSON.stringify(session), createdAt, expiresAt, limit];
    await this.#connection.run(addSession, sessionKeys, args);
  }

  async findSession(sha256: string, now: number): Promise<StoredSession | undefined> {
    const reply = await this.#connection.send("HGET", sessionsKey, sha256);
    const session = this.#connection.parse((text) => {
      const stored = parseOptionalText(text);
      return stored === undefined ? undefined : parseJson(Session, stored);
    }, reply);
    return session && session.expiresAt > now ? session : undefined;
  }

  removeSession(sha256: string): Promise<boolean> {
    return this.#connection.run(removeSession, sessionKeys, [sha256]);
  }

  removeSessions(): Promise<number> {
    return this.#connection.run(removeSessions, sessionKeys, []);
  }

  async addLoginCode(sha256: string, expiresAt: number, now: number): Promise<void> {
    const lifetime = Math.round(Math.max(0, expiresAt - now) + clockSkew);
    await this.#connection.send("SET", codeKey(sha256), String(expiresAt), "PX", String(lifetime));
  }

  takeLoginCode(sha256: string, now: number): Promise<boolean> {
    return this.#connection.run(takeCode, [codeKey(sha256)], [now]);
  }
}

function codeKey(sha256: string): string {
  return redisKey("login-code", sha256);
}
