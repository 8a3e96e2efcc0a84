import { Type } from "@sinclair/typebox";
import type { CapabilityStore, StoredCapability } from "../../core/capabilities.js";
import { CapabilitySourceShape, CapabilityValueShape } from "../stored-shapes.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { parseJson, parsePairs, parseText } from "./reply.js";
import { defineScript } from "./script.js";

const Value = Type.Tuple([CapabilityValueShape, CapabilitySourceShape, Type.Number()]);

/** Sets one field of each hash. ARGV: the field and the value of each key. */
const saveAll = defineScript({
  name: "save-capabilities",
  source: `for index, key in ipairs(KEYS) do
    redis.call('HSET', key, ARGV[2 * index - 1], ARGV[2 * index])
  end
  return 'OK'`,
  parse: parseText,
});

/** What is known of Kimi's accounts: a hash for each account, by the capability's name. */
export class RedisCapabilities implements CapabilityStore {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async listCapabilities(account: string): Promise<readonly StoredCapability[]> {
    const reply = await this.#connection.send("HGETALL", capabilitiesKey(account));
    return this.#connection.parse((fields) => toCapabilities(account, fields), reply);
  }

  async saveCapabilities(capabilities: readonly StoredCapability[]): Promise<void> {
    if (capabilities.length === 0) return;
    await this.#connection.run(
      saveAll,
      capabilities.map(({ account }) => capabilitiesKey(account)),
      capabilities.flatMap(({ name, value, source, changedAt }) => [
        name,
        JSON.stringify([value, source, Math.round(changedAt)]),
      ]),
    );
  }
}

export function capabilitiesKey(account: string): string {
  return redisKey("capabilities", account);
}

function toCapabilities(account: string, reply: unknown): StoredCapability[] {
  return [...parsePairs(reply)]
    .map(([name, json]) => {
      const [value, source, changedAt] = parseJson(Value, json);
      return { account, name, value, source, changedAt };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
