import { Type } from "@sinclair/typebox";
import type {
  DailyUsage,
  HourlyUsage,
  JournalEntry,
  JournalFilter,
  JournalPage,
  JournalPosition,
  JournalStore,
  UsageGroup,
} from "../../core/journal.js";
import { outcomeOf } from "../../core/journal.js";
import type { CredentialCipher } from "../encryption.js";
import { openTexts, sealTexts } from "../sealed-texts.js";
import { JournalEntryShape } from "../stored-shapes.js";
import type { RedisConnection } from "./connection.js";
import { redisKey } from "./keys.js";
import { parseCount, parseJson, parseOptionalText, parsePairs, parseReply, parseText } from "./reply.js";
import { defineScript } from "./script.js";
import { type CountedEntry, sumEntries, toDailyUsage, toHourlyUsage } from "./usage-sums.js";

/** Entries that one command reads or removes, so that no other call waits long. */
const batch = 1_000;

const streamKey = redisKey("journal");
const requestsKey = redisKey("journal-requests");
const lastKey = redisKey("journal-last");
const daysKey = redisKey("usage-days");
const hoursKey = redisKey("usage-hours");
const textsKey = redisKey("journal-texts");
const dayKey = (day: string) => redisKey("usage-day", day);
const lastUsesKey = (day: string) => redisKey("usage-last", day);
const hourKey = (hour: number | string) => redisKey("usage-hour", hour);

const Texts = Type.Array(Type.String());
/** Id and fields of an entry of the stream: request, end, and the whole entry as JSON. */
const StreamEntries = Type.Array(Type.Tuple([Type.String(), Type.Array(Type.String())]));

/**
 * KEYS: the stream, numbers by request, last number, days, hours, sealed texts by number, then one hash for each group of sums.
 * ARGV: the number of entries, and of each its request, end, JSON and sealed texts or nothing; of days and of hours: their number and names; then of each hash `add` or
 * `max`, the number of its fields, and of each field its name and amount.
 */
const addEntries = defineScript({
  name: "add-journal-entries",
  source: `local position = 0
  local function next_argument() position = position + 1 return ARGV[position] end
  for _ = 1, tonumber(next_argument()) do
    local request, ended, entry, texts = next_argument(), next_argument(), next_argument(), next_argument()
    local number = redis.call('INCR', KEYS[3])
    redis.call('XADD', KEYS[1], number .. '-0', 'request', request, 'ended', ended, 'entry', entry)
    redis.call('HSET', KEYS[2], request, number)
    if texts ~= '' then redis.call('HSET', KEYS[6], number, texts) end
  end
  for _ = 1, tonumber(next_argument()) do redis.call('SADD', KEYS[4], next_argument()) end
  for _ = 1, tonumber(next_argument()) do
    local hour = next_argument()
    redis.call('ZADD', KEYS[5], hour, hour)
  end
  for index = 7, #KEYS do
    local is_sum = next_argument() == 'add'
    for _ = 1, tonumber(next_argument()) do
      local field, amount = next_argument(), next_argument()
      if is_sum then redis.call('HINCRBY', KEYS[index], field, amount)
      elseif tonumber(amount) > tonumber(redis.call('HGET', KEYS[index], field) or 0) then
        redis.call('HSET', KEYS[index], field, amount)
      end
    end
  end
  return 'OK'`,
  parse: parseText,
});

/** KEYS: the stream, numbers by request, texts. ARGV: rows that are kept, time before which none is, and how many are looked at. */
const trimEntries = defineScript({
  name: "trim-journal",
  source: `local surplus = redis.call('XLEN', KEYS[1]) - tonumber(ARGV[1])
  local removed = 0
  for index, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[3])) do
    local request, ended = entry[2][2], tonumber(entry[2][4])
    if index <= surplus or ended < tonumber(ARGV[2]) then
      redis.call('XDEL', KEYS[1], entry[1])
      redis.call('HDEL', KEYS[3], string.match(entry[1], '^%d+'))
      if redis.call('HGET', KEYS[2], request) .. '-0' == entry[1] then redis.call('HDEL', KEYS[2], request) end
      removed = removed + 1
    end
  end
  return removed`,
  parse: parseCount,
});

/**
 * Requests that have ended, in a stream whose ids are their numbers. Sums are made as entries come: a hash for each day and
 * hour, whose first hour counts whole. Texts are sealed, in a hash of their own.
 */
export class RedisJournal implements JournalStore {
  readonly #connection: RedisConnection;
  readonly #cipher: CredentialCipher;

  constructor(connection: RedisConnection, cipher: CredentialCipher) {
    this.#connection = connection;
    this.#cipher = cipher;
  }

  async addEntries(entries: readonly CountedEntry[]): Promise<void> {
    const { days, hours, lastUses } = sumEntries(entries);
    const sums = [
      ...[...days].map(([day, fields]) => ({ key: dayKey(day), how: "add", fields })),
      ...[...hours].map(([hour, fields]) => ({ key: hourKey(hour), how: "add", fields })),
      ...[...lastUses].map(([day, fields]) => ({ key: lastUsesKey(day), how: "max", fields })),
    ];
    const fixed = [streamKey, requestsKey, lastKey, daysKey, hoursKey, textsKey];
    const keys = [...fixed, ...sums.map(({ key }) => key)];
    await this.#connection.run(addEntries, keys, [
      entries.length,
      ...entries.flatMap(({ entry: { texts, ...entry } }) => {
        const sealed = texts && sealTexts(this.#cipher, entry.id, texts);
        return [entry.id, entry.endedAt, JSON.stringify(entry), sealed ?? ""];
      }),
      ...[days.size, ...days.keys()],
      ...[hours.size, ...hours.keys()],
      ...sums.flatMap(({ how, fields }) => [how, fields.size, ...[...fields].flat()]),
    ]);
  }

  async listEntries(filter: JournalFilter, { before, limit }: JournalPosition): Promise<JournalPage> {
    const found: { number: number; entry: JournalEntry }[] = [];
    const isFiltered = Object.values(filter).some((value) => value !== undefined);
    const count = isFiltered ? batch : limit + 1;
    let end = before === undefined ? "+" : `(${before}-0`;
    while (found.length <= limit) {
      const reply = await this.#connection.send("XREVRANGE", streamKey, end, "-", "COUNT", String(count));
      const read = this.#connection.parse(toEntries, reply);
      found.push(...read.filter(({ entry }) => matches(entry, filter)));
      const last = read.at(-1);
      if (last === undefined || read.length < count) break;
      end = `(${last.number}-0`;
    }
    const page = found.slice(0, limit);
    return {
      entries: page.map(({ entry }) => entry),
      next: found.length > limit ? page.at(-1)?.number : undefined,
    };
  }

  async findEntry(id: string): Promise<JournalEntry | undefined> {
    const reply = await this.#connection.send("HGET", requestsKey, id);
    const number = this.#connection.parse(parseOptionalText, reply);
    if (number === undefined) return undefined;
    const entries = await this.#connection.send("XRANGE", streamKey, `${number}-0`, `${number}-0`);
    const entry = this.#connection.parse(toEntries, entries)[0]?.entry;
    const sealed = await this.#connection.send("HGET", textsKey, number);
    const texts = this.#connection.parse((reply) => {
      const value = parseOptionalText(reply);
      return value === undefined ? undefined : openTexts(this.#cipher, id, value);
    }, sealed);
    return entry && (texts ? { ...entry, texts } : entry);
  }

  async dailyUsage(by: UsageGroup, from: string, to: string): Promise<readonly DailyUsage[]> {
    const days = (await this.#listDays()).filter((day) => day >= from && day <= to);
    const sums = await this.#readHashes(days.map(dayKey));
    return this.#connection.parse(
      (sums) => days.flatMap((day, index) => toDailyUsage(day, by, sums[index] ?? new Map())),
      sums,
    );
  }

  async hourlyUsage(since: number): Promise<readonly HourlyUsage[]> {
    const firstHour = String(since - 3_600_000);
    const reply = await this.#connection.send("ZRANGEBYSCORE", hoursKey, `(${firstHour}`, "+inf");
    const hours = this.#connection.parse((hours) => parseReply(Texts, hours), reply);
    const sums = await this.#readHashes(hours.map(hourKey));
    return hours.map((hour, index) => toHourlyUsage(Number(hour), sums[index] ?? new Map()));
  }

  async lastUses(): Promise<ReadonlyMap<string, number>> {
    const uses = await this.#readHashes((await this.#listDays()).map(lastUsesKey));
    const newest = new Map<string, number>();
    for (const [key, time] of uses.flatMap((fields) => [...fields]))
      newest.set(key, Math.max(newest.get(key) ?? 0, time));
    return newest;
  }

  async trimEntries(limits: Parameters<JournalStore["trimEntries"]>[0]): Promise<void> {
    const { rows, before, day, keepTexts } = limits;
    if (!keepTexts) await this.#connection.send("DEL", textsKey);
    const trim = () =>
      this.#connection.run(
        trimEntries,
        [streamKey, requestsKey, textsKey],
        [rows, Math.round(before), batch],
      );
    while ((await trim()) === batch);
    const reply = await this.#connection.send("ZRANGEBYSCORE", hoursKey, "-inf", `(${before - 3_600_000}`);
    const hours = this.#connection.parse((hours) => parseReply(Texts, hours), reply);
    const days = (await this.#listDays()).filter((each) => each < day);
    const commands = [
      ...hours.flatMap((hour) => [
        ["DEL", hourKey(hour)],
        ["ZREM", hoursKey, hour],
      ]),
      ...days.flatMap((each) => [
        ["DEL", dayKey(each), lastUsesKey(each)],
        ["SREM", daysKey, each],
      ]),
    ];
    if (commands.length > 0) await this.#connection.sendAll(commands);
  }

  /** The newest first. */
  async #listDays(): Promise<string[]> {
    const reply = await this.#connection.send("SMEMBERS", daysKey);
    return this.#connection
      .parse((days) => parseReply(Texts, days), reply)
      .toSorted((a, b) => (a < b ? 1 : -1));
  }

  async #readHashes(keys: readonly string[]): Promise<ReadonlyMap<string, number>[]> {
    if (keys.length === 0) return [];
    const replies = await this.#connection.sendAll(keys.map((key) => ["HGETALL", key]));
    return this.#connection.parse((replies) => replies.map(toAmounts), replies);
  }
}

function toAmounts(reply: unknown): Map<string, number> {
  return new Map([...parsePairs(reply)].map(([name, amount]) => [name, Number(amount)]));
}

function toEntries(reply: unknown): { number: number; entry: JournalEntry }[] {
  return parseReply(StreamEntries, reply).map(([id, fields]) => ({
    number: Number.parseInt(id, 10),
    entry: parseJson(JournalEntryShape, fields[5] ?? ""),
  }));
}

function matches(entry: JournalEntry, filter: JournalFilter): boolean {
  const { outcome, since = 0, until = Number.POSITIVE_INFINITY, ...names } = filter;
  if (outcome !== undefined && outcomeOf(entry) !== outcome) return false;
  if (entry.endedAt < since || entry.endedAt >= until) return false;
  const { key, model, upstream, dialect, failure } = names;
  const wanted = { key, model, upstream, dialect, failure };
  return (["key", "model", "upstream", "dialect", "failure"] as const).every(
    (name) => wanted[name] === undefined || wanted[name] === entry[name],
  );
}
