import { expect, test } from "vitest";
import type { JournalEntry, JournalStore } from "../../src/core/journal.js";
import { limits } from "../../src/core/limits.js";
import { Journal } from "../../src/observability/journal.js";
import { apiKey, chatBody, postChat, startGateway } from "../gateway.js";
import { createInMemoryStorage, InMemoryStore } from "../store/in-memory-store.js";

const entry = (id: string, endedAt = Date.now()): JournalEntry => ({
  ...{ id, endedAt, duration: 10, method: "POST", route: "/v1/chat/completions", status: 200, attempts: 1 },
});

function openJournal(changes: Partial<JournalStore> = {}, keep = { days: 2, rows: 5_000, texts: false }) {
  const { journal: store } = new InMemoryStore(createInMemoryStorage());
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  return {
    store,
    warnings,
    journal: new Journal({ store: { ...store, ...changes }, keep: () => keep, warn }),
  };
}

const idsIn = async (store: JournalStore) =>
  (await store.listEntries({}, { limit: 20_000 })).entries.map(({ id }) => id);

test("a batch of entries is one write", async () => {
  const sizes: number[] = [];
  const { journal } = openJournal({ addEntries: async (entries) => void sizes.push(entries.length) });
  for (let index = 0; index < limits.journalBatch * 2 + 1; index++) journal.add(entry(`${index}`));
  await journal.flush();
  expect(sizes.reduce((sum, size) => sum + size)).toBe(limits.journalBatch * 2 + 1);
  expect(sizes.length).toBeLessThanOrEqual(3);
});

test("entries beyond the buffer of a store that is too slow are lost and counted, not the others", async () => {
  let release: (() => void) | undefined;
  const { store } = openJournal();
  const slow = {
    ...store,
    addEntries: async (entries: Parameters<JournalStore["addEntries"]>[0]) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      await store.addEntries(entries);
    },
  };
  const waiting = new Journal({
    store: slow,
    keep: () => ({ days: 2, rows: 50_000, texts: false }),
    warn: () => {},
  });
  waiting.add(entry("first"));
  const flushed = waiting.flush();
  await expect.poll(() => release).toBeDefined();
  for (let index = 0; index < limits.journalBuffer + 7; index++) waiting.add(entry(`${index}`));
  expect(waiting.lost).toBe(7);
  const rest = waiting.flush();
  release?.();
  await flushed;
  release?.();
  await rest;
  expect((await store.listEntries({}, { limit: 20_000 })).entries).toHaveLength(limits.journalBuffer + 1);
});

test("entries that cannot be written are lost and counted, with one warning, and later ones are written", async () => {
  let isFull = true;
  const { store, warnings, journal } = openJournal({
    addEntries: async (entries) => {
      if (isFull) throw new Error("disk full");
      await store.addEntries(entries);
    },
  });
  for (const id of ["a", "b"]) {
    journal.add(entry(id));
    await journal.flush();
  }
  isFull = false;
  journal.add(entry("c"));
  await journal.flush();
  expect(journal.lost).toBe(2);
  expect(warnings).toHaveLength(1);
  expect(await idsIn(store)).toEqual(["c"]);
});

test("entries are kept for so many days, and so many of them", async () => {
  const { store, journal } = openJournal({}, { days: 2, rows: 3, texts: false });
  const day = 24 * 60 * 60_000;
  for (const [id, age] of [["old", 3 * day] as const, ["a", day] as const, ["b", 0] as const])
    journal.add(entry(id, Date.now() - age));
  await journal.flush();
  expect(await idsIn(store)).toEqual(["b", "a"]);
});

test("requests whose rows cannot be written are answered, and /metrics tells how many were lost", async () => {
  const gateway = await startGateway();
  Object.assign(gateway.store.journal, { addEntries: () => Promise.reject(new Error("disk full")) });
  const answer = await postChat(gateway, chatBody("sim:say=hello"));
  expect(await answer.json()).toMatchObject({ choices: [{ message: { content: "hello" } }] });
  const headers = { authorization: `Bearer ${apiKey}` };
  await expect
    .poll(async () => {
      await fetch(`${gateway.url}/v1/admin/requests`, { headers });
      return (await fetch(`${gateway.url}/metrics`, { headers })).text();
    })
    .toMatch(/^moonbridge_journal_lost_total [1-9]/m);
});
