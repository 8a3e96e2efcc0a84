import { describe, expect, test } from "vitest";
import type { JournalEntry, JournalFilter } from "../../../src/core/journal.js";
import type { CreateStorage } from "./fixtures.js";

const hour = 3_600_000;

const entry = (id: string, fields: Partial<JournalEntry> = {}): JournalEntry => ({
  ...{ id, endedAt: 100, duration: 10, method: "POST", route: "/v1/chat/completions" },
  ...{ status: 200, attempts: 1, key: "a", upstream: "me", model: "k2", dialect: "chat" },
  ...fields,
});
const usage = { input: 10, output: 5, reasoning: 1, cached: 2, estimated: true };
const texts = { prompt: "héllo 🌉", promptLength: 8, earlier: 2, answer: "{", answerLength: 1 };
const on = (day: string, ...entries: JournalEntry[]) => entries.map((each) => ({ entry: each, day }));
const none = { failed: 0, cancelled: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0 };

/** The contract of the journal of requests and of its sums. */
export function testJournal(createStorage: CreateStorage): void {
  describe("the journal", () => {
    test("keeps every field of an entry, also after the store was closed", async () => {
      const open = await createStorage();
      const store = await open();
      const full = entry("full", {
        ...{ failure: "upstream_cut", upstreamCode: "x", chat: "new", waited: 1, firstOutput: 2, usage },
        ...{ finish: "stop", ignored: ["top_k"], traceId: "t" },
      });
      const { key: _key, upstream: _upstream, model: _model, ...refused } = entry("refused", { attempts: 0 });
      await store.journal.addEntries(on("2026-01-01", full, refused));
      await store.close();
      const again = await open();
      expect(await again.journal.findEntry("full")).toEqual(full);
      expect(await again.journal.findEntry("refused")).toEqual(refused);
      expect(await again.journal.findEntry("other")).toBeUndefined();
    });

    test("has the texts of a request only where it is asked for by its id", async () => {
      const open = await createStorage();
      const store = await open();
      const withTexts = entry("a", { texts });
      await store.journal.addEntries(on("2026-01-01", withTexts, entry("b")));
      await store.close();
      const { journal } = await open();
      expect(await journal.findEntry("a")).toEqual(withTexts);
      expect(await journal.findEntry("b")).toEqual(entry("b"));
      expect((await journal.listEntries({}, { limit: 10 })).entries).toEqual([entry("b"), entry("a")]);
    });

    test("loses the texts of all requests, and nothing else, in a trim that keeps none", async () => {
      const { journal } = await (await createStorage())();
      const limits = { rows: 10, before: 0, day: "2026-01-01" };
      await journal.addEntries(on("2026-01-01", entry("a", { texts }), entry("b", { texts })));
      await journal.trimEntries({ ...limits, keepTexts: true });
      expect((await journal.findEntry("a"))?.texts).toEqual(texts);
      await journal.trimEntries({ ...limits, keepTexts: false });
      for (const id of ["a", "b"]) expect(await journal.findEntry(id)).toEqual(entry(id));
      await journal.addEntries(on("2026-01-01", entry("c", { texts })));
      expect((await journal.findEntry("c"))?.texts).toEqual(texts);
    });

    test("is listed page by page, the newest first, each entry once", async () => {
      const { journal } = await (await createStorage())();
      const entries = ["a", "b", "c", "d", "e"].map((id) => entry(id));
      await journal.addEntries(on("2026-01-01", ...entries));
      const first = await journal.listEntries({}, { limit: 2 });
      await journal.addEntries(on("2026-01-01", entry("f")));
      const second = await journal.listEntries({}, { limit: 2, before: first.next });
      const third = await journal.listEntries({}, { limit: 2, before: second.next });
      const ids = [first, second, third].map(({ entries }) => entries.map(({ id }) => id));
      expect(ids).toEqual([["e", "d"], ["c", "b"], ["a"]]);
      expect(third.next).toBeUndefined();
    });

    test.each<[JournalFilter, string[]]>([
      [{}, ["d", "c", "b", "a"]],
      [{ key: "b" }, ["b"]],
      [{ model: "k3" }, ["c"]],
      [{ upstream: "you" }, ["c"]],
      [{ dialect: "messages" }, ["d"]],
      [{ failure: "upstream_cut" }, ["c"]],
      [{ outcome: "ok" }, ["b", "a"]],
      [{ outcome: "failed" }, ["c"]],
      [{ outcome: "cancelled" }, ["d"]],
      [{ since: 200, until: 400 }, ["c", "b"]],
      [{ key: "a", outcome: "failed" }, ["c"]],
      [{ key: "a' OR 1=1 --" }, []],
    ])("lists by the filter %j", async (filter, ids) => {
      const { journal } = await (await createStorage())();
      await journal.addEntries(
        on(
          "2026-01-01",
          entry("a"),
          entry("b", { key: "b", endedAt: 200 }),
          entry("c", { endedAt: 300, failure: "upstream_cut", upstream: "you", model: "k3" }),
          entry("d", { endedAt: 400, failure: "cancelled", dialect: "messages" }),
        ),
      );
      const { entries } = await journal.listEntries(filter, { limit: 10 });
      expect(entries.map(({ id }) => id)).toEqual(ids);
    });

    test("is summed by day and group, over all batches", async () => {
      const { journal } = await (await createStorage())();
      await journal.addEntries(on("2026-01-01", entry("a", { usage }), entry("b", { usage, key: "b" })));
      await journal.addEntries([
        ...on("2026-01-01", entry("c", { usage }), entry("d", { failure: "upstream_cut", model: "k3" })),
        ...on("2026-01-02", entry("e", { failure: "cancelled", key: undefined })),
        ...on("2026-01-03", entry("f")),
      ]);
      const from = "2026-01-01";
      expect(await journal.dailyUsage("key", from, "2026-01-02")).toEqual([
        { ...none, day: "2026-01-02", name: "", requests: 1, cancelled: 1 },
        {
          ...{ day: from, name: "a", requests: 3, failed: 1, cancelled: 0 },
          ...{ inputTokens: 20, cachedTokens: 4, outputTokens: 10 },
        },
        {
          ...{ day: from, name: "b", requests: 1, failed: 0, cancelled: 0 },
          ...{ inputTokens: 10, cachedTokens: 2, outputTokens: 5 },
        },
      ]);
      const names = async (by: "model" | "account" | "outcome") =>
        (await journal.dailyUsage(by, from, from)).map(({ name, requests }) => [name, requests]);
      expect(await names("model")).toEqual([
        ["k2", 3],
        ["k3", 1],
      ]);
      expect(await names("account")).toEqual([["me", 4]]);
      expect(await names("outcome")).toEqual([
        ["ok", 3],
        ["upstream_cut", 1],
      ]);
    });

    test("is summed by hour, with the mean time to the first output", async () => {
      const { journal } = await (await createStorage())();
      await journal.addEntries(
        on(
          "2026-01-01",
          entry("a", { endedAt: hour - 1 }),
          entry("b", { endedAt: hour, firstOutput: 10, usage }),
          entry("c", { endedAt: hour + 5, firstOutput: 20, failure: "upstream_cut" }),
          entry("d", { endedAt: 3 * hour }),
        ),
      );
      const counts = { inputTokens: 10, cachedTokens: 2, outputTokens: 5 };
      expect(await journal.hourlyUsage(hour)).toEqual([
        { ...counts, hour, requests: 2, failed: 1, cancelled: 0, firstOutput: 15 },
        { ...none, hour: 3 * hour, requests: 1, firstOutput: undefined },
      ]);
    });

    test("tells when each key was last used", async () => {
      const { journal } = await (await createStorage())();
      await journal.addEntries(on("2026-01-01", entry("a", { endedAt: 300 }), entry("b", { endedAt: 200 })));
      await journal.addEntries(
        on("2026-01-02", entry("c", { endedAt: 250 }), entry("d", { key: undefined })),
      );
      expect(await journal.lastUses()).toEqual(new Map([["a", 300]]));
    });

    test("loses what is older or more than its limits; the sums of the days stay until their own", async () => {
      const { journal } = await (await createStorage())();
      const entries = ["a", "b", "c", "d"].map((id, index) => entry(id, { endedAt: (index + 1) * 100 }));
      await journal.addEntries(on("2026-01-01", ...entries));
      const idsLeft = async () => (await journal.listEntries({}, { limit: 10 })).entries.map(({ id }) => id);
      await journal.trimEntries({ rows: 4, before: 0, day: "2026-01-01", keepTexts: true });
      expect(await idsLeft()).toEqual(["d", "c", "b", "a"]);
      await journal.trimEntries({ rows: 3, before: 0, day: "2026-01-01", keepTexts: true });
      expect(await idsLeft()).toEqual(["d", "c", "b"]);
      await journal.trimEntries({ rows: 3, before: 400, day: "2026-01-01", keepTexts: true });
      expect(await idsLeft()).toEqual(["d"]);
      const days = async () => (await journal.dailyUsage("key", "2026-01-01", "2026-12-31")).length;
      expect(await days()).toBe(1);
      await journal.trimEntries({ rows: 3, before: 400, day: "2026-01-02", keepTexts: true });
      expect(await days()).toBe(0);
    });
  });
}
