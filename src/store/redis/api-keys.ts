import { Type } from "@sinclair/typebox";
import type { KeySettings, StoredKey } from "../../core/store.js";
import { KeySettingsShape } from "../stored-shapes.js";
import type { RedisConnection } from "./connection.js";
import { keyUsageKey } from "./key-usage.js";
import { redisKey } from "./keys.js";
import { parseFlag, parseJson, parseReply } from "./reply.js";
import { defineScript } from "./script.js";

/** Of each key: hash, settings as JSON, and its creation, which is empty where it is not known. */
const Row = Type.Tuple([Type.String(), Type.String(), Type.String(), Type.String()]);
const Rows = Type.Array(Row);

const namesKey = redisKey("api-keys");
const hashesKey = redisKey("api-keys-by-hash");
const lastKey = redisKey("api-keys-last");

/** KEYS: names, hashes, last number, the key. ARGV: name, hash, settings, creation. */
const addKey = defineScript({
  name: "add-api-key",
  source: `if redis.call('EXISTS', KEYS[4]) == 1 then return 0 end
  redis.call('HSET', KEYS[4], 'hash', ARGV[2], 'settings', ARGV[3], 'created', ARGV[4])
  redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[3]), ARGV[1])
  redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[1])
  return 1`,
  parse: parseFlag,
});

/** KEYS: the key. ARGV: settings. */
const updateKey = defineScript({
  name: "update-api-key",
  source: `if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
  redis.call('HSET', KEYS[1], 'settings', ARGV[1])
  return 1`,
  parse: parseFlag,
});

/** KEYS: names, hashes, the key, what it has used. ARGV: name. */
const removeKey = defineScript({
  name: "remove-api-key",
  source: `local hash = redis.call('HGET', KEYS[3], 'hash')
  if not hash then return 0 end
  if redis.call('HGET', KEYS[2], hash) == ARGV[1] then redis.call('HDEL', KEYS[2], hash) end
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('DEL', KEYS[3], KEYS[4])
  return 1`,
  parse: parseFlag,
});

/**
 * KEYS: names, hashes. ARGV: what the key of a name begins with, and how the names are chosen: `all`, `hash` or `name`, then
 * which one. The keys of names are in the same slot.
 */
const readKeys = defineScript({
  name: "read-api-keys",
  source: `local names = { ARGV[3] }
  if ARGV[2] == 'all' then names = redis.call('ZRANGE', KEYS[1], 0, -1) end
  if ARGV[2] == 'hash' then names = { redis.call('HGET', KEYS[2], ARGV[3]) or '' } end
  local rows = {}
  for _, name in ipairs(names) do
    local fields = redis.call('HMGET', ARGV[1] .. name, 'hash', 'settings', 'created')
    if fields[1] then rows[#rows + 1] = { name, fields[1], fields[2], fields[3] } end
  end
  return rows`,
  parse: (reply) => parseReply(Rows, reply).map(toKey),
});

function toKey([name, sha256, settings, created]: (typeof Rows)["static"][number]): StoredKey {
  return {
    name,
    sha256,
    settings: parseJson(KeySettingsShape, settings),
    ...(created === "" ? {} : { createdAt: Number(created) }),
  };
}

/** API keys: a hash for each, a sorted set of their names by age, and their names by hash. */
export class RedisApiKeys {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  list(): Promise<StoredKey[]> {
    return this.#read("all", "");
  }

  async findByHash(sha256: string): Promise<StoredKey | undefined> {
    return (await this.#read("hash", sha256))[0];
  }

  async findByName(name: string): Promise<StoredKey | undefined> {
    return (await this.#read("name", name))[0];
  }

  add({ name, sha256, settings, createdAt }: StoredKey): Promise<boolean> {
    const keys = [namesKey, hashesKey, lastKey, keyOf(name)];
    return this.#connection.run(addKey, keys, [name, sha256, JSON.stringify(settings), createdAt ?? ""]);
  }

  update(name: string, settings: KeySettings): Promise<boolean> {
    return this.#connection.run(updateKey, [keyOf(name)], [JSON.stringify(settings)]);
  }

  remove(name: string): Promise<boolean> {
    return this.#connection.run(removeKey, [namesKey, hashesKey, keyOf(name), keyUsageKey(name)], [name]);
  }

  #read(by: "all" | "hash" | "name", value: string): Promise<StoredKey[]> {
    return this.#connection.run(readKeys, [namesKey, hashesKey], [keyOf(""), by, value]);
  }
}

function keyOf(name: string): string {
  return redisKey("api-key", name);
}
