import type { RedisConnection } from "../connection.js";
import { redisKey } from "../keys.js";
import { defineScript, type RedisScript } from "../script.js";

/**
 * The keys of chats and conversations, and what is in them. Numbers of chats, places and nodes are ten hexadecimal digits, so
 * that they sort as text. A place is what the nodes of a chat refer to: when they are detached from it, the chat gets
 * another place, however many they are.
 */
export const conversationKeys = {
  /** Hash: number of a chat -> the chat as JSON (chat-record.ts). */
  chats: redisKey("chats"),
  /** Hash: upstream and chat as JSON -> number of the chat. */
  numbers: redisKey("chat-numbers"),
  /** Sorted set by name: `* <number>` and `<upstream as JSON> <number>` of each chat. */
  lists: redisKey("chat-lists"),
  /** Sorted set by due time: number of a chat. */
  due: redisKey("chats-due"),
  /** Sorted set by the time of its end: a place which no chat has any more. */
  ended: redisKey("ended-places"),
  /** Hash: number of a node -> the node (node-record.ts). */
  nodes: redisKey("nodes"),
  /** Sorted set by name: number of a node. */
  order: redisKey("node-order"),
  /** Sorted set by place: number of a node. */
  places: redisKey("node-places"),
  /** Sorted sets by name: `<path> <node>`, `<answer> <conversation> <node>`, `<conversation> <node>`. */
  paths: redisKey("nodes-by-path"),
  answers: redisKey("nodes-by-answer"),
  conversations: redisKey("nodes-by-conversation"),
  /** Sorted set by the time of forgetting: `<answer>` and `<answer> <affinity>`. */
  forgotten: redisKey("forgotten-answers"),
  /** The last number that a chat or a place got. */
  serial: redisKey("chat-serial"),
} as const;

type KeyName = keyof typeof conversationKeys;

/** A script on chats and conversations: it sees its keys and arguments as variables of these names. */
export type ConversationScript<Argument extends string, Result> = {
  script: RedisScript<Result>;
  keys: readonly string[];
  args: readonly Argument[];
};

export function defineConversationScript<const Argument extends string, Result>({
  name,
  keys,
  args,
  functions = [],
  body,
  parse,
}: {
  name: string;
  keys: readonly KeyName[];
  args: readonly Argument[];
  /** Sources of Lua functions; they see the same variables. */
  functions?: readonly string[];
  body: string;
  parse: (reply: unknown) => Result;
}): ConversationScript<Argument, Result> {
  const variables = [
    ...keys.map((key, index) => `local ${key} = KEYS[${index + 1}]`),
    ...args.map((arg, index) => `local ${arg} = ARGV[${index + 1}]`),
  ];
  return {
    script: defineScript({ name, source: [...variables, ...functions, body].join("\n"), parse }),
    keys: keys.map((key) => conversationKeys[key]),
    args,
  };
}

export function runConversationScript<Argument extends string, Result>(
  connection: RedisConnection,
  { script, keys, args }: ConversationScript<Argument, Result>,
  values: Record<Argument, string | number>,
): Promise<Result> {
  return connection.run(
    script,
    keys,
    args.map((arg) => values[arg]),
  );
}

/** A number of a chat, a place or a node as it is stored. */
export function encodeNumber(number: number): string {
  return number.toString(16).padStart(10, "0");
}

export function decodeNumber(stored: string): number {
  return Number.parseInt(stored, 16);
}

/** Source of the functions that give the next number of a chat or a place, and the server's time in milliseconds. */
export const nextSerial = `
local function next_serial()
  return string.format('%010x', redis.call('INCR', serial))
end`;

/** All processes measure claims by this clock, since their own may differ. */
export const serverTime = `
local function server_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end`;
