import { afterAll, beforeAll, describe } from "vitest";
import { testChats } from "../contract/chats.js";
import { testClaims } from "../contract/claims.js";
import { testNodes } from "../contract/nodes.js";
import { testRandomConversationCalls } from "../contract/random-calls.js";
import { testTrimming } from "../contract/trimming.js";
import { openConversations } from "./conversation-storage.js";
import { RedisServer } from "./redis-server.js";

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ settings: { appendonly: "no" } });
});
afterAll(() => server.stop());

async function createStorage() {
  await server.command("FLUSHALL");
  return () => openConversations(server.url);
}

describe("conversations in Redis", () => {
  testChats(createStorage);
  testNodes(createStorage);
  testClaims(createStorage);
  testTrimming(createStorage);
  testRandomConversationCalls(createStorage);
});
