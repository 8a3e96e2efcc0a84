import { Type } from "@sinclair/typebox";
import type { CredentialStore, StoredCredentials } from "../../core/store.js";
import type { CredentialCipher } from "../encryption.js";
import { CredentialsShape } from "../stored-shapes.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { renameAccount, renamedChatKeys } from "./rename-account.js";
import { parseFlag, parseJson, parseOptionalText, parseReply } from "./reply.js";
import { defineScript } from "./script.js";
import { replaceIfSame } from "./secrets.js";

const Accounts = Type.Array(Type.String());

const credentialsKey = redisKey("credentials");
const fencesKey = redisKey("credential-fences");
const lastTokenKey = redisKey("lock-token");

/**
 * KEYS: the lock, the last token. ARGV: owner, milliseconds. A token is the server's time in microseconds, so that tokens
 * ascend also where a failover has lost the last one.
 */
const acquireLock = defineScript({
  name: "acquire-lock",
  source: `local held = redis.call('HMGET', KEYS[1], 'owner', 'token')
  if held[1] and held[1] ~= ARGV[1] then return false end
  local token = held[2]
  if not token then
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    token = string.format('%.0f', math.max(now, tonumber(redis.call('GET', KEYS[2]) or 0) + 1))
    redis.call('SET', KEYS[2], token)
  end
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', token)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return token`,
  parse: (reply) => {
    const token = parseOptionalText(reply);
    return token === undefined ? undefined : Number(token);
  },
});

/** KEYS: the lock. ARGV: owner. */
const releaseLock = defineScript({
  name: "release-lock",
  source: `if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
  return redis.call('DEL', KEYS[1])`,
  parse: parseFlag,
});

/** KEYS: credentials, fences, the last token. ARGV: account, value, fence or nothing, which stands for one above all so far. */
const saveCredentials = defineScript({
  name: "save-credentials",
  source: `local fence = ARGV[3]
  if fence == '' then
    fence = string.format('%.0f', tonumber(redis.call('GET', KEYS[3]) or 0) + 1)
  elseif tonumber(fence) < tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or 0) then
    return 0
  end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('HSET', KEYS[2], ARGV[1], fence)
  return 1`,
  parse: parseFlag,
});

/** KEYS: credentials, fences. ARGV: account. */
const removeCredentials = defineScript({
  name: "remove-credentials",
  source: `redis.call('HDEL', KEYS[2], ARGV[1])
  return redis.call('HDEL', KEYS[1], ARGV[1])`,
  parse: parseFlag,
});

/** The credentials of accounts, sealed, in one hash; the fences of their saves in another; a hash for each lock that is held. */
export class RedisCredentials implements CredentialStore {
  readonly isShared = true;
  readonly #connection: RedisConnection;
  readonly #cipher: CredentialCipher;

  constructor(connection: RedisConnection, cipher: CredentialCipher) {
    this.#connection = connection;
    this.#cipher = cipher;
  }

  async listAccounts(): Promise<readonly string[]> {
    const reply = await this.#connection.send("HKEYS", credentialsKey);
    return this.#connection.parse((accounts) => parseReply(Accounts, accounts), reply).toSorted();
  }

  async findCredentials(account: string): Promise<StoredCredentials | undefined> {
    const found = await this.#findDecrypted(account);
    return found && this.#connection.parse((text) => parseJson(CredentialsShape, text), found.text);
  }

  /** Throws StoreError rather than overwrite credentials that it cannot decrypt. */
  async saveCredentials(account: string, credentials: StoredCredentials, fence?: number): Promise<boolean> {
    await this.#findDecrypted(account);
    const sealed = this.#cipher.encrypt(JSON.stringify(credentials), associatedName(account));
    const keys = [credentialsKey, fencesKey, lastTokenKey];
    return this.#connection.runDurably(saveCredentials, keys, [account, sealed, fence ?? ""]);
  }

  removeCredentials(account: string): Promise<boolean> {
    return this.#connection.run(removeCredentials, [credentialsKey, fencesKey], [account]);
  }

  /** False if `from` has no credentials or `to` has some. Its chats move in the same step. */
  async rename(from: string, to: string): Promise<boolean> {
    const keys = [credentialsKey, fencesKey, lastTokenKey, ...renamedChatKeys];
    for (;;) {
      const [found, taken] = await Promise.all([this.#findDecrypted(from), this.#findDecrypted(to)]);
      if (!found || taken) return false;
      const stored = this.#connection.parse((text) => parseJson(CredentialsShape, text), found.text);
      const renamed = { ...stored, firstName: stored.firstName ?? from };
      const sealed = this.#cipher.encrypt(JSON.stringify(renamed), associatedName(to));
      const names = [from, to].map((name) => JSON.stringify(name));
      const args = [from, to, found.value, sealed, ...names];
      const outcome = await this.#connection.runDurably(renameAccount, keys, args);
      if (outcome !== "changed") return outcome === "renamed";
    }
  }

  /** `until` is a time of this machine; the lock lasts for as long by the clock of the server. */
  acquireLock(name: string, owner: string, until: number): Promise<number | undefined> {
    const milliseconds = Math.max(0, Math.round(until - Date.now()));
    return this.#connection.run(acquireLock, [lockKey(name), lastTokenKey], [owner, milliseconds]);
  }

  async releaseLock(name: string, owner: string): Promise<void> {
    await this.#connection.run(releaseLock, [lockKey(name)], [owner]);
  }

  /** Seals with the current key what is plain or sealed with an older one. Throws StoreError if something cannot be decrypted. */
  async sealOutdated(): Promise<void> {
    const accounts = await this.listAccounts();
    const found = await Promise.all(accounts.map((account) => this.#findDecrypted(account)));
    for (const [index, account] of accounts.entries()) {
      const { value, text, isOutdated } = found[index] ?? {};
      if (value === undefined || text === undefined || !isOutdated) continue;
      const sealed = this.#cipher.encrypt(text, associatedName(account));
      await this.#connection.run(replaceIfSame, [credentialsKey], [account, value, sealed]);
    }
  }

  async #findDecrypted(account: string) {
    const reply = await this.#connection.send("HGET", credentialsKey, account);
    const value = this.#connection.parse(parseOptionalText, reply);
    return value === undefined
      ? undefined
      : { value, ...this.#cipher.decrypt(value, associatedName(account)) };
  }
}

function lockKey(name: string): string {
  return redisKey("lock", name);
}

function associatedName(account: string): string {
  return `credentials/${account}`;
}
