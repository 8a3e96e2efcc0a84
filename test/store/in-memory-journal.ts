import type { CapabilityStore, StoredCapability } from "../../src/core/capabilities.js";
import {
  type JournalEntry,
  type JournalFilter,
  type JournalStore,
  outcomeOf,
  type UsageCounts,
} from "../../src/core/journal.js";
import type { SessionStore, StoredSession } from "../../src/core/session.js";

/** Entries oldest first; sums are made of `counted`, which trimming the entries leaves. */
export type JournalData = {
  journal: { number: number; entry: JournalEntry }[];
  counted: { entry: JournalEntry; day: string }[];
  sessions: StoredSession[];
  capabilities: StoredCapability[];
  /** Expiry times by hash. */
  loginCodes: Map<string, number>;
};

const hourMs = 3_600_000;

function countsOf(entries: readonly JournalEntry[]): UsageCounts {
  const sum = (read: (entry: JournalEntry) => number | undefined) =>
    entries.reduce((total, entry) => total + (read(entry) ?? 0), 0);
  return {
    requests: entries.length,
    failed: entries.filter((entry) => outcomeOf(entry) === "failed").length,
    cancelled: entries.filter((entry) => outcomeOf(entry) === "cancelled").length,
    inputTokens: sum(({ usage }) => usage?.input),
    cachedTokens: sum(({ usage }) => usage?.cached),
    outputTokens: sum(({ usage }) => usage?.output),
  };
}

function matches(entry: JournalEntry, filter: JournalFilter): boolean {
  const { outcome, since = 0, until = Number.POSITIVE_INFINITY, ...equal } = filter;
  if (outcome !== undefined && outcomeOf(entry) !== outcome) return false;
  if (entry.endedAt < since || entry.endedAt >= until) return false;
  const names = ["key", "model", "upstream", "dialect", "failure"] as const;
  return names.every((name) => equal[name] === undefined || equal[name] === entry[name]);
}

/** Groups in the order of the first of each. */
function groupBy<Item>(items: readonly Item[], read: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(read(item), [...(groups.get(read(item)) ?? []), item]);
  return groups;
}

export function createInMemoryJournal(read: () => JournalData): JournalStore {
  return {
    addEntries: async (entries) => {
      for (const { entry, day } of entries) {
        const { journal, counted } = read();
        journal.push({ number: (journal.at(-1)?.number ?? 0) + 1, entry: structuredClone(entry) });
        const { texts: _texts, ...summed } = structuredClone(entry);
        counted.push({ entry: summed, day });
      }
    },
    listEntries: async (filter, { before = Number.POSITIVE_INFINITY, limit }) => {
      const found = read().journal.filter(({ number, entry }) => number < before && matches(entry, filter));
      const page = found.toReversed().slice(0, limit);
      const next = found.length > limit ? page.at(-1)?.number : undefined;
      return { entries: page.map(({ entry: { texts: _texts, ...entry } }) => entry), next };
    },
    findEntry: async (id) => read().journal.findLast(({ entry }) => entry.id === id)?.entry,
    dailyUsage: async (by, from, to) => {
      const names = {
        key: ({ key }: JournalEntry) => key ?? "",
        model: ({ model }: JournalEntry) => model ?? "",
        account: ({ upstream }: JournalEntry) => upstream ?? "",
        outcome: ({ failure }: JournalEntry) => failure ?? "ok",
      };
      const within = read().counted.filter(({ day }) => day >= from && day <= to);
      const groups = groupBy(within, ({ day, entry }) => JSON.stringify([day, names[by](entry)]));
      const sums = [...groups].map(([key, group]) => {
        const [day, name]: [string, string] = JSON.parse(key);
        return { day, name, ...countsOf(group.map(({ entry }) => entry)) };
      });
      return sums.sort((a, b) => (a.day === b.day ? (a.name < b.name ? -1 : 1) : a.day < b.day ? 1 : -1));
    },
    hourlyUsage: async (since) => {
      const entries = read().journal.map(({ entry }) => entry);
      const within = entries.filter(({ endedAt }) => endedAt >= since);
      const groups = groupBy(within, ({ endedAt }) => String(Math.floor(endedAt / hourMs) * hourMs));
      const sums = [...groups].map(([hour, group]) => {
        const first = group.flatMap(({ firstOutput }) => (firstOutput === undefined ? [] : [firstOutput]));
        const mean = first.reduce((total, each) => total + each, 0) / first.length;
        return { hour: Number(hour), firstOutput: first.length > 0 ? mean : undefined, ...countsOf(group) };
      });
      return sums.sort((a, b) => a.hour - b.hour);
    },
    lastUses: async () => {
      const uses = new Map<string, number>();
      for (const { entry } of read().counted)
        if (entry.key) uses.set(entry.key, Math.max(entry.endedAt, uses.get(entry.key) ?? 0));
      return uses;
    },
    trimEntries: async ({ rows, before, day, keepTexts }) => {
      const data = read();
      if (!keepTexts) for (const { entry } of data.journal) delete entry.texts;
      data.journal = data.journal.slice(-rows).filter(({ entry }) => entry.endedAt >= before);
      data.counted = data.counted.filter((each) => each.day >= day);
    },
  };
}

export function createInMemorySessions(read: () => JournalData): SessionStore {
  return {
    addSession: async (session, limit) => {
      const data = read();
      const kept = data.sessions.filter(({ expiresAt }) => expiresAt > session.createdAt);
      kept.push({ ...session });
      data.sessions = kept.sort((a, b) => a.createdAt - b.createdAt).slice(-limit);
    },
    findSession: async (sha256, now) =>
      read().sessions.find((each) => each.sha256 === sha256 && each.expiresAt > now),
    removeSession: async (sha256) => {
      const data = read();
      const before = data.sessions.length;
      data.sessions = data.sessions.filter((each) => each.sha256 !== sha256);
      return data.sessions.length < before;
    },
    removeSessions: async () => read().sessions.splice(0).length,
    addLoginCode: async (sha256, expiresAt, now) => {
      const { loginCodes } = read();
      for (const [code, end] of loginCodes) if (end <= now) loginCodes.delete(code);
      loginCodes.set(sha256, expiresAt);
    },
    takeLoginCode: async (sha256, now) => {
      const { loginCodes } = read();
      return (loginCodes.get(sha256) ?? 0) > now && loginCodes.delete(sha256);
    },
  };
}

export function createInMemoryCapabilities(read: () => JournalData): CapabilityStore {
  return {
    listCapabilities: async (account) => {
      const found = read().capabilities.filter((each) => each.account === account);
      return structuredClone(found).sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    saveCapabilities: async (changed) => {
      const data = read();
      const isReplaced = ({ account, name }: StoredCapability) =>
        changed.some((each) => each.account === account && each.name === name);
      data.capabilities = [...data.capabilities.filter((each) => !isReplaced(each)), ...changed];
    },
  };
}
