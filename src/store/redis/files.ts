import { Type } from "@sinclair/typebox";
import type { FileSelection, FileStore, StoredFile } from "../../core/store.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { parseCount, parseFlag, parseJson, parseOptionalText, parseReply } from "./reply.js";
import { defineScript } from "./script.js";

const File = Type.Object({
  id: Type.String(),
  owner: Type.String(),
  name: Type.String(),
  mediaType: Type.String(),
  purpose: Type.String(),
  size: Type.Number(),
  digest: Type.String(),
  createdAt: Type.Number(),
});
const Texts = Type.Array(Type.String());

/** Hash: id -> the file as JSON. */
export const filesKey = redisKey("files");
const [sizeKey, lastKey] = [redisKey("files-size"), redisKey("files-last")];

/** KEYS: files, size, last number, the owner's list, the owner's list of the purpose. ARGV: id, file, size. */
const saveFile = defineScript({
  name: "save-file",
  source: `if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
  redis.call('INCRBY', KEYS[2], ARGV[3])
  local number = redis.call('INCR', KEYS[3])
  redis.call('ZADD', KEYS[4], number, ARGV[1])
  redis.call('ZADD', KEYS[5], number, ARGV[1])
  return 1`,
  parse: parseFlag,
});

/** KEYS: files, size, the owner's list, the owner's list of the purpose. ARGV: id, size. */
const removeFile = defineScript({
  name: "remove-file",
  source: `if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
  redis.call('DECRBY', KEYS[2], ARGV[2])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('ZREM', KEYS[4], ARGV[1])
  return 1`,
  parse: parseFlag,
});

/** KEYS: files, the owner's list, the list that is read. ARGV: the id before the page, 1 for newest first, limit. */
const listFiles = defineScript({
  name: "list-files",
  source: `local after = redis.call('ZSCORE', KEYS[2], ARGV[1])
  local ids
  if ARGV[2] == '1' then
    ids = redis.call('ZREVRANGEBYSCORE', KEYS[3], after and '(' .. after or '+inf', '-inf', 'LIMIT', 0, ARGV[3])
  else
    ids = redis.call('ZRANGEBYSCORE', KEYS[3], after and '(' .. after or '-inf', '+inf', 'LIMIT', 0, ARGV[3])
  end
  local files = {}
  for index, id in ipairs(ids) do files[index] = redis.call('HGET', KEYS[1], id) end
  return files`,
  parse: (reply) => parseReply(Texts, reply).map(parseFile),
});

/** What clients have uploaded to Moonbridge: one hash by id, and sorted sets of each owner's ids. */
export class RedisFiles implements FileStore {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async saveFile(file: StoredFile): Promise<void> {
    const { id, owner, purpose, size, createdAt } = file;
    const keys = [filesKey, sizeKey, lastKey, listOf(owner), listOf(owner, purpose)];
    const stored = JSON.stringify({ ...file, createdAt: Math.round(createdAt) });
    await this.#connection.run(saveFile, keys, [id, stored, size]);
  }

  async findFile(owner: string, id: string): Promise<StoredFile | undefined> {
    const reply = await this.#connection.send("HGET", filesKey, id);
    const file = this.#connection.parse((text) => {
      const stored = parseOptionalText(text);
      return stored === undefined ? undefined : parseFile(stored);
    }, reply);
    return file?.owner === owner ? file : undefined;
  }

  listFiles(
    owner: string,
    { limit, after = "", purpose, newestFirst }: FileSelection,
  ): Promise<readonly StoredFile[]> {
    const keys = [filesKey, listOf(owner), listOf(owner, purpose)];
    return this.#connection.run(listFiles, keys, [after, newestFirst ? 1 : 0, limit]);
  }

  async removeFile(owner: string, id: string): Promise<void> {
    const file = await this.findFile(owner, id);
    if (!file) return;
    const keys = [filesKey, sizeKey, listOf(owner), listOf(owner, file.purpose)];
    await this.#connection.run(removeFile, keys, [id, file.size]);
  }

  async countFiles(): Promise<{ files: number; bytes: number }> {
    const replies = await this.#connection.sendAll([
      ["HLEN", filesKey],
      ["GET", sizeKey],
    ]);
    return this.#connection.parse(
      ([files, bytes]) => ({ files: parseCount(files), bytes: Number(parseOptionalText(bytes) ?? 0) }),
      replies,
    );
  }
}

export function parseFile(stored: string): StoredFile {
  return parseJson(File, stored);
}

/** The ids of an owner's files, of all purposes or of one, by the order of their saves. */
function listOf(owner: string, purpose?: string): string {
  const list = ["files-of", encodeURIComponent(owner)] as const;
  return purpose === undefined ? redisKey(...list) : redisKey(...list, encodeURIComponent(purpose));
}
