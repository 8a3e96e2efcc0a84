import { onTestFinished } from "vitest";
import { RedisConnection } from "../../../src/store/redis/connection.js";
import { RedisConversations } from "../../../src/store/redis/conversations.js";
import type { OpenConversations } from "../contract/fixtures.js";

/** Opens conversations on a Redis; closed when the test ends. */
export async function openConversations(url: string): Promise<OpenConversations> {
  const connection = await RedisConnection.open(url);
  onTestFinished(() => connection.close());
  const conversations = new RedisConversations(connection);
  return Object.assign(conversations, { close: () => connection.close() });
}
