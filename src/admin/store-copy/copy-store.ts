import type { Store } from "../../core/store.js";
import { maintenanceMessages as messages } from "../../i18n/maintenance-messages.js";
import { StoreError } from "../../store/errors.js";
import { copyChats, copyNodes, countNodes } from "./copy-conversations.js";
import { copyRequests, countRequests } from "./copy-requests.js";

/** The parts of a store that are copied, in their order. */
type StorePart =
  | "accounts"
  | "keys"
  | "capabilities"
  | "files"
  | "chats"
  | "nodes"
  | "responses"
  | "requests";

/** How many records of a part both stores have after it was copied. */
export type CopiedPart = { part: StorePart; from: number; to: number };

type Copy = { copy(from: Store, to: Store): Promise<void>; count(store: Store): Promise<number> };

/** For reading and writing whatever its age: no stored time is before it. */
const beginning = 0;

const parts: Record<StorePart, Copy> = {
  accounts: { copy: copyAccounts, count: async (store) => (await store.listAccounts()).length },
  keys: { copy: copyKeys, count: async (store) => (await store.listKeys()).length },
  capabilities: { copy: copyCapabilities, count: countCapabilities },
  files: { copy: copyFiles, count: async (store) => (await store.countFiles()).files },
  chats: { copy: copyChats, count: async (store) => (await store.listChats({ limit: 1 })).total },
  nodes: { copy: copyNodes, count: countNodes },
  responses: { copy: copyResponses, count: async (store) => (await store.index.listResponses()).length },
  requests: { copy: copyRequests, count: countRequests },
};

/**
 * Copies what one store has to another one, which may have a part of it from an earlier attempt; what is there already stays as it
 * is. No server may use either. Sessions, budgets of today, hashes of uploads and sums of days without requests are not copied.
 * Throws StoreError, also if the other store has conversations of its own.
 */
export async function* copyStore(from: Store, to: Store): AsyncGenerator<CopiedPart> {
  for (const [name, value] of await from.index.listSecrets())
    if ((await to.getOrCreateSecret(name, () => value)) !== value) throw new StoreError(messages.storeInUse);
  for (const part of storeParts) {
    const { copy, count } = parts[part];
    await copy(from, to);
    yield { part, from: await count(from), to: await count(to) };
  }
}

const storeParts: readonly StorePart[] = [
  ...(["accounts", "keys", "capabilities", "files"] as const),
  ...(["chats", "nodes", "responses", "requests"] as const),
];

async function copyAccounts(from: Store, to: Store): Promise<void> {
  for (const account of await from.listAccounts()) {
    if (await to.findCredentials(account)) continue;
    const credentials = await from.findCredentials(account);
    if (credentials) await to.saveCredentials(account, credentials);
  }
}

/** Adding leaves a key of the same name as it is. */
async function copyKeys(from: Store, to: Store): Promise<void> {
  for (const key of await from.listKeys()) await to.addKey(key);
}

async function copyCapabilities(from: Store, to: Store): Promise<void> {
  for (const account of await from.index.listCapabilityAccounts()) {
    const known = await to.capabilities.listCapabilities(account);
    if (known.length === 0)
      await to.capabilities.saveCapabilities(await from.capabilities.listCapabilities(account));
  }
}

async function countCapabilities({ index, capabilities }: Store): Promise<number> {
  let count = 0;
  for (const account of await index.listCapabilityAccounts())
    count += (await capabilities.listCapabilities(account)).length;
  return count;
}

async function copyFiles(from: Store, to: Store): Promise<void> {
  const all = { limit: Number.MAX_SAFE_INTEGER, after: undefined, purpose: undefined, newestFirst: false };
  for (const owner of await from.index.listFileOwners())
    for (const file of await from.listFiles(owner, all))
      if (!(await to.findFile(owner, file.id))) await to.saveFile(file);
}

async function copyResponses(from: Store, to: Store): Promise<void> {
  const one = { limit: 1, bytes: 1 };
  for (const { owner, id } of await from.index.listResponses()) {
    const [response] = await from.findResponses(owner, id, one, beginning);
    const [copied] = await to.findResponses(owner, id, one, beginning);
    if (response && !copied) await to.saveResponse(response, beginning);
  }
}
