import type { CredentialCipher } from "../encryption.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { parseFlag, parseOptionalText, parsePairs, parseText } from "./reply.js";
import { defineScript } from "./script.js";

/** Adds the value of a field unless it has one, and gives the one that is there. KEYS: the hash. ARGV: field, value. */
const addOrGet = defineScript({
  name: "add-or-get",
  source: `redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
  return redis.call('HGET', KEYS[1], ARGV[1])`,
  parse: parseText,
});

/** Replaces the value of a field if it is still the one that was read. KEYS: the hash. ARGV: field, read, new value. */
export const replaceIfSame = defineScript({
  name: "replace-if-same",
  source: `if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
  return 1`,
  parse: parseFlag,
});

const secretsKey = redisKey("secrets");

/** The server's secrets, sealed, in one hash. */
export class RedisSecrets {
  readonly #connection: RedisConnection;
  readonly #cipher: CredentialCipher;

  constructor(connection: RedisConnection, cipher: CredentialCipher) {
    this.#connection = connection;
    this.#cipher = cipher;
  }

  async list(): Promise<ReadonlyMap<string, string>> {
    const reply = await this.#connection.send("HGETALL", secretsKey);
    const sealed = this.#connection.parse(parsePairs, reply);
    return new Map(
      [...sealed].map(([name, value]) => [name, this.#cipher.decrypt(value, associatedName(name)).text]),
    );
  }

  /** If two processes generate it at once, both get the one stored first. */
  async getOrCreate(name: string, generate: () => string): Promise<string> {
    const found = this.#connection.parse(
      parseOptionalText,
      await this.#connection.send("HGET", secretsKey, name),
    );
    const add = () =>
      this.#connection.run(
        addOrGet,
        [secretsKey],
        [name, this.#cipher.encrypt(generate(), associatedName(name))],
      );
    const sealed = found ?? (await add());
    const { text, isOutdated } = this.#cipher.decrypt(sealed, associatedName(name));
    if (isOutdated) {
      const newlySealed = this.#cipher.encrypt(text, associatedName(name));
      await this.#connection.run(replaceIfSame, [secretsKey], [name, sealed, newlySealed]);
    }
    return text;
  }
}

function associatedName(name: string): string {
  return `secrets/${name}`;
}
