import fc from "fast-check";
import { expect, test } from "vitest";
import type { ConversationNode, ConversationStore, Store } from "../../../src/core/store.js";
import { createInMemoryStorage, InMemoryStore } from "../in-memory-store.js";
import type { CreateStorage, OpenConversations } from "./fixtures.js";
import { conversationCall, type StoreCall } from "./random-conversation-calls.js";

const name = fc.constantFrom("a", "b", "c");
const owner = fc.constantFrom("me", "you");
/** A lock that has expired, or one that lasts longer than the test. */
const until = fc.constantFrom(1, Date.now() + 3_600_000);
const time = fc.nat(12);
const purpose = fc.constantFrom("assistants", "vision");

/** Calls on everything but chats and conversations. */
const otherCall: fc.Arbitrary<StoreCall<Store>> = fc.oneof(
  fc.tuple(name, time).map(([account, savedAt]): StoreCall<Store> => {
    return (store) => store.saveCredentials(account, { current: {}, startedFrom: "x", savedAt });
  }),
  name.map((account): StoreCall<Store> => {
    return (store) => store.findCredentials(account);
  }),
  fc.constant<StoreCall<Store>>((store) => store.listAccounts()),
  fc.tuple(name, owner, until).map((lock): StoreCall<Store> => {
    return async (store) => (await store.acquireLock(...lock)) !== undefined;
  }),
  fc.tuple(name, owner).map((lock): StoreCall<Store> => {
    return (store) => store.releaseLock(...lock);
  }),
  fc.tuple(name, time).map(([name, createdAt]): StoreCall<Store> => {
    const sha256 = `hash-${name}`;
    return (store) => store.addKey({ name, sha256, settings: { scopes: ["chat"] }, createdAt });
  }),
  name.map((name): StoreCall<Store> => {
    return (store) => store.removeKey(name);
  }),
  name.map((name): StoreCall<Store> => {
    return async (store) => [await store.findKeyByName(name), await store.findKeyByHash(`hash-${name}`)];
  }),
  fc.constant<StoreCall<Store>>((store) => store.listKeys()),
  fc.tuple(name, time).map(([name, n]): StoreCall<Store> => {
    return (store) => store.getOrCreateSecret(name, () => `secret-${n}`);
  }),
  fc.tuple(owner, name, name, time).map((upload): StoreCall<Store> => {
    return (store) => store.saveUploadedFile(...upload);
  }),
  fc.tuple(owner, name, time).map((upload): StoreCall<Store> => {
    return (store) => store.findUploadedFile(...upload);
  }),
  fc.tuple(owner, name, purpose, time).map(([owner, id, purpose, size]): StoreCall<Store> => {
    const file = { id, owner, name: id, mediaType: "text/plain", purpose, size, digest: id, createdAt: size };
    return async (store) => {
      // An id is given once, over all owners.
      for (const each of ["me", "you"]) if (await store.findFile(each, id)) return;
      await store.saveFile(file);
    };
  }),
  fc.tuple(owner, name).map(([owner, id]): StoreCall<Store> => {
    return (store) => store.removeFile(owner, id);
  }),
  fc
    .tuple(
      owner,
      fc.record({
        limit: fc.integer({ min: 1, max: 3 }),
        after: fc.option(name, { nil: undefined }),
        purpose: fc.option(purpose, { nil: undefined }),
        newestFirst: fc.boolean(),
      }),
    )
    .map((selection): StoreCall<Store> => {
      return async (store) => [await store.listFiles(...selection), await store.countFiles()];
    }),
);

/** Compares what a store keeps of conversations with the in-memory store. */
export function testRandomConversationCalls(createStorage: CreateStorage<OpenConversations>): void {
  test("answers 10,000 random calls on conversations as the in-memory store does", async () => {
    const seen = { claims: 0, refusals: 0, ended: 0, answering: 0, tombstones: 0 };
    await compare<ConversationStore>(createStorage, openInMemory, conversationCall, 50, (result) => {
      if (result === true) seen.claims++;
      if (result === false) seen.refusals++;
      if (!Array.isArray(result)) return;
      for (const { chat, paths } of result as Partial<ConversationNode>[]) {
        if (paths && !chat) seen.tombstones++;
        if (paths && chat?.end !== undefined) seen.ended++;
        if (paths && chat?.answering !== undefined) seen.answering++;
      }
    });
    // All of it happens often enough to be compared.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
  });
}

/** Compares a store with the in-memory store. */
export function testRandomCalls(createStorage: CreateStorage): void {
  testRandomConversationCalls(createStorage);

  test("answers 2,000 other random calls as the in-memory store does", async () => {
    const seen = { accepted: 0, refused: 0, lists: 0 };
    await compare<Store>(createStorage, openInMemory, otherCall, 10, (result) => {
      if (result === true) seen.accepted++;
      if (result === false) seen.refused++;
      if (Array.isArray(result) && result[0] !== undefined) seen.lists++;
    });
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
  });
}

const openInMemory = () => new InMemoryStore(createInMemoryStorage());

async function compare<Compared>(
  createStorage: CreateStorage<Compared & Pick<Store, "close">>,
  openReference: () => Compared,
  call: fc.Arbitrary<StoreCall<Compared>>,
  numRuns: number,
  onResult: (result: unknown) => void,
): Promise<void> {
  const calls = fc.array(call, { minLength: 200, maxLength: 200, size: "max" });
  const property = fc.asyncProperty(calls, async (calls) => {
    const open = await createStorage();
    const stores = [await open(), await open()] as const;
    const reference = openReference();
    for (const [index, call] of calls.entries()) {
      // The two take turns, as two processes do.
      const result = await call(stores[index % 2 === 0 ? 0 : 1]);
      expect(result).toEqual(await call(reference));
      onResult(result);
    }
    for (const store of stores) await store.close();
  });
  await fc.assert(property, { numRuns, interruptAfterTimeLimit: 25_000 });
}
