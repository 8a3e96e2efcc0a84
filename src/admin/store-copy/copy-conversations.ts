import type { ConversationNode, NodeChat, Store, StoredChat } from "../../core/store.js";

/** Records that are read together. */
const batch = 500;
/** For reading whatever its age: no chat was due before it. */
const beginning = 0;
/** Nodes with the same path that are looked through for a copy. */
const maxCandidates = 100;
const owner = "store copy";

/**
 * A chat that is only in the other store, and only while nodes are copied: tombstones are saved in it and left behind when
 * it is removed. No upstream has its name, so that nothing deletes it at Kimi.
 */
const tombstones = { upstream: "store copy/tombstones", chat: "tombstones" };
const year = 31_536_000_000;

export async function copyChats(from: Store, to: Store): Promise<void> {
  const chats: StoredChat[] = [];
  for (let before: number | undefined; ; ) {
    const page = await from.listChats({ limit: batch, before });
    chats.push(...page.chats);
    if (page.next === undefined) break;
    before = page.next;
  }
  // Pages begin with the newest.
  for (const { upstream, chat, scope, dueAt } of chats.reverse())
    if (!(await to.findChat(upstream, chat))) await to.saveChat({ upstream, chat, scope, dueAt });
}

export async function countNodes({ index }: Store): Promise<number> {
  let count = 0;
  for await (const ids of batchesOfIds(index)) count += ids.length;
  return count;
}

/** The nodes get new ids, in the same order. Those that are there already are the first ones, from an earlier attempt. */
export async function copyNodes(from: Store, to: Store): Promise<void> {
  const now = Date.now();
  const newIds = new Map<number, number>();
  const newest = new Map<string, { chat: NodeChat; node: number; conversation: string }>();
  let isResuming = (await to.index.listNodes(0, 1)).length > 0;
  await to.saveChat({ ...tombstones, scope: owner, dueAt: now + year });
  for await (const ids of batchesOfIds(from.index)) {
    const found = await Promise.all(ids.map((id) => from.findPath(id, 1, beginning)));
    for (const [node] of found) {
      if (!node) continue;
      let copy = isResuming ? await findCopy(to, node) : undefined;
      if (copy === undefined) {
        isResuming = false;
        await saveCopy(to, node, newIds);
        copy = await findCopy(to, node);
      }
      if (copy === undefined) continue;
      newIds.set(node.id, copy);
      const { chat, conversation } = node;
      if (chat) newest.set(JSON.stringify([chat.upstream, chat.chat]), { chat, node: copy, conversation });
    }
  }
  await to.removeChat(tombstones.upstream, tombstones.chat, now);
  for (const { chat, node, conversation } of newest.values())
    if (chat.end === undefined) await removeEnd(to, { chat, node, conversation }, now);
}

async function* batchesOfIds(index: Store["index"]): AsyncGenerator<readonly number[]> {
  for (let after = 0; ; ) {
    const ids = await index.listNodes(after, batch);
    const last = ids.at(-1);
    if (last === undefined) return;
    yield ids;
    after = last;
  }
}

/** A parent that was removed is none. */
async function saveCopy(
  to: Store,
  node: ConversationNode,
  newIds: ReadonlyMap<number, number>,
): Promise<void> {
  const { id: _id, chat, parent: oldParent, hasChildren: _hasChildren, ...rest } = node;
  const parent = oldParent === undefined ? undefined : newIds.get(oldParent);
  await to.saveNode({ ...rest, ...(parent === undefined ? {} : { parent }) }, chat ?? tombstones);
}

/** The id of the node's copy. */
async function findCopy(to: Store, { paths, answerId, conversation }: ConversationNode) {
  const [hash = ""] = paths;
  const candidates = await to.findNodes({ by: "path", hash }, maxCandidates, beginning);
  return candidates.find((each) => each.answerId === answerId && each.conversation === conversation)?.id;
}

/** A chat in which a turn left something that no node has ends nowhere; its last node was saved as its end. */
async function removeEnd(
  to: Store,
  { chat, node, conversation }: { chat: NodeChat; node: number; conversation: string },
  now: number,
): Promise<void> {
  const stored = await to.findChat(chat.upstream, chat.chat);
  if (!stored) return;
  const { dueAt } = stored;
  const claim = { node, isLine: false, isLeaf: false, owner, conversation, until: now + 60_000, dueAt, now };
  if (await to.claimChat(claim)) await to.releaseChat({ upstream: chat.upstream, chat: chat.chat, owner });
}
