import type { JournalEntry } from "../../../src/core/journal.js";
import { usageGroups } from "../../../src/core/journal.js";
import type { Store } from "../../../src/core/store.js";
import { chat, claimOf, node, saveNode } from "../../store/contract/fixtures.js";

const day = "2026-11-29";

/** Saves something of everything that is copied: lines and trees, tombstones, a chat without an end, removed parents. */
export async function fillStore(store: Store, turns: number): Promise<void> {
  const later = Date.now() + 3_600_000;
  await store.getOrCreateSecret("conversations", () => "secret");
  const site = { baseUrl: "https://www.kimi.ai", authUrl: "https://auth.kimi.ai" };
  const login = { current: { refreshToken: "r", accessToken: "a" }, startedFrom: "login", savedAt: 5, site };
  await store.saveCredentials("me", login);
  await store.saveCredentials("you", { ...login, previous: { refreshToken: "q" } });
  await store.addKey({ name: "old", sha256: "00", settings: { scopes: ["admin"] } });
  await store.addKey({ name: "new", sha256: "01", settings: { scopes: ["chat"], models: [] }, createdAt: 3 });
  await store.capabilities.saveCapabilities([
    { account: "hash", name: "old-parent", value: false, source: "use", changedAt: 4 },
    { account: "hash", name: "busy-seconds", value: 2.5, source: "probe", changedAt: 4 },
  ]);
  for (const id of ["c", "a", "b"])
    await store.saveFile({
      ...{ id, owner: id === "a" ? "old" : "new", name: `${id}.txt`, mediaType: "text/plain" },
      ...{ purpose: "assistants", size: 3, digest: id, createdAt: 7 },
    });
  for (const name of ["a", "b", "gone", "endless"]) await store.saveChat(chat(name, later));
  let parent: number | undefined;
  for (let n = 0; n < turns; n++) {
    const place = ["a", "gone", "b"][n % 3] ?? "a";
    const fields = { answers: [`answer-${n % 5}`, `other-${n}`], ...(parent ? { parent } : {}) };
    parent = await saveNode(store, place, node(`${n}`, { ...fields, affinity: "session", toolState: "{}" }));
  }
  const last = await saveNode(store, "endless", node("endless"));
  await store.claimChat({ ...claimOf(last), until: Date.now() + 1_000, dueAt: later, now: Date.now() });
  await store.releaseChat({ upstream: "me", chat: "endless", owner: "me" });
  await store.removeChat("me", "gone", 9);
  await store.trimNodes({ nodes: turns - 3, forgottenAnswers: 10, tombstonesBefore: 0 }, 9);
  await store.saveResponse({ id: "first", owner: "new", body: "x", expiresAt: later }, 0);
  await store.saveResponse({ id: "again", owner: "new", previous: "first", body: "y", expiresAt: later }, 0);
  const entries = Array.from({ length: 700 }, (_, n): JournalEntry => {
    const texts = { prompt: `p${n}`, promptLength: 2, earlier: 0, answer: "a", answerLength: 1 };
    return {
      ...{ id: `request-${n}`, endedAt: Date.parse(day) + n, duration: 1, method: "POST", route: "/v1/x" },
      ...{ status: 200, attempts: 1, key: `key-${n % 3}`, model: "k2", upstream: "me" },
      ...(n % 10 === 0 ? { texts } : {}),
    };
  });
  await store.journal.addEntries(entries.map((entry) => ({ entry, day })));
}

/** All that was filled in, with the numbers of nodes in place of their ids. */
export async function contentsOf(store: Store) {
  const { index, journal, capabilities } = store;
  const ids = await index.listNodes(0, 10_000);
  /** A removed parent has no number. */
  const numberOf = (id: number | undefined) =>
    id === undefined || !ids.includes(id) ? undefined : ids.indexOf(id);
  const nodes = await Promise.all(
    ids.map(async (id) => {
      const [found] = await store.findPath(id, 1, 0);
      const place = found?.chat && { ...found.chat, end: numberOf(found.chat.end) };
      return { ...found, id: numberOf(id), parent: numberOf(found?.parent), chat: place };
    }),
  );
  const all = { limit: 100, after: undefined, purpose: undefined, newestFirst: false };
  const { entries } = await journal.listEntries({}, { limit: 1_000 });
  return {
    secrets: await index.listSecrets(),
    credentials: await Promise.all(
      (await store.listAccounts()).map((account) => store.findCredentials(account)),
    ),
    keys: await store.listKeys(),
    capabilities: await capabilities.listCapabilities("hash"),
    files: [await store.listFiles("old", all), await store.listFiles("new", all)],
    chats: await store.listChats({ limit: 100 }).then(({ chats }) => chats),
    nodes,
    responses: await store.findResponses("new", "again", { limit: 5, bytes: 100 }, 0),
    requests: await Promise.all(entries.map(({ id }) => journal.findEntry(id))),
    usage: await Promise.all(usageGroups.map((by) => journal.dailyUsage(by, day, day))),
  };
}
