import { Type } from "@sinclair/typebox";
import type { StoredResponse, StoreIndex } from "../../core/store.js";
import { capabilitiesKey } from "./capabilities.js";
import type { RedisConnection } from "./connection.js";
import { conversationKeys, decodeNumber, encodeNumber } from "./conversations/conversation-script.js";
import { filesKey, parseFile } from "./files.js";
import { parsePairs, parseReply } from "./reply.js";
import { responseOwnersKey, responsesPreviousKey } from "./responses.js";
import type { RedisSecrets } from "./secrets.js";

const Texts = Type.Array(Type.String());
const Scanned = Type.Tuple([Type.String(), Texts]);

/** What is in Redis, for a copy of the store. */
export class RedisIndex implements StoreIndex {
  readonly #connection: RedisConnection;
  readonly #secrets: RedisSecrets;

  constructor(connection: RedisConnection, secrets: RedisSecrets) {
    this.#connection = connection;
    this.#secrets = secrets;
  }

  listSecrets(): Promise<ReadonlyMap<string, string>> {
    return this.#secrets.list();
  }

  async listFileOwners(): Promise<readonly string[]> {
    const reply = await this.#connection.send("HVALS", filesKey);
    return this.#connection.parse((files) => {
      const owners = parseReply(Texts, files).map((file) => parseFile(file).owner);
      return [...new Set(owners)].sort();
    }, reply);
  }

  async listCapabilityAccounts(): Promise<readonly string[]> {
    const prefix = capabilitiesKey("");
    const accounts = new Set<string>();
    let cursor = "0";
    do {
      const reply = await this.#connection.send("SCAN", cursor, "MATCH", `${prefix}*`, "COUNT", "1000");
      const [next, keys] = this.#connection.parse((scanned) => parseReply(Scanned, scanned), reply);
      for (const key of keys) accounts.add(key.slice(prefix.length));
      cursor = next;
    } while (cursor !== "0");
    return [...accounts].sort();
  }

  async listResponses(): Promise<readonly Pick<StoredResponse, "owner" | "id">[]> {
    const replies = await this.#connection.sendAll([
      ["HGETALL", responseOwnersKey],
      ["HGETALL", responsesPreviousKey],
    ]);
    return this.#connection.parse(([owners, previous]) => {
      const ownerOf = parsePairs(owners);
      return sortByPrevious(ownerOf, parsePairs(previous)).map((id) => ({
        id,
        owner: ownerOf.get(id) ?? "",
      }));
    }, replies);
  }

  async listNodes(after: number, limit: number): Promise<readonly number[]> {
    const reply = await this.#connection.send(
      ...["ZRANGEBYLEX", conversationKeys.order, `(${encodeNumber(after)}`, "+"],
      ...["LIMIT", "0", String(limit)],
    );
    return this.#connection.parse((ids) => parseReply(Texts, ids).map(decodeNumber), reply);
  }
}

/** The ids, each after the one that it continues. */
function sortByPrevious(ids: ReadonlyMap<string, string>, previousOf: ReadonlyMap<string, string>): string[] {
  const sorted = new Set<string>();
  for (const id of ids.keys()) {
    const path = new Set<string>();
    let next: string | undefined = id;
    while (next !== undefined && ids.has(next) && !sorted.has(next) && !path.has(next)) {
      path.add(next);
      next = previousOf.get(next);
    }
    for (const each of [...path].reverse()) sorted.add(each);
  }
  return [...sorted];
}
