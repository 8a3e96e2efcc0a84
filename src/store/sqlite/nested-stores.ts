import type { CapabilityStore } from "../../core/capabilities.js";
import type { JournalStore } from "../../core/journal.js";
import type { SessionStore } from "../../core/session.js";
import type { StoreIndex } from "../../core/store.js";
import type { OpenDatabase } from "./open-database.js";

/** Runs a task on the open database; rejects with a StoreError, also once the store is closed. */
type Run = <Result>(task: (database: OpenDatabase) => Result) => Promise<Result>;

export function createJournalStore(run: Run): JournalStore {
  return {
    addEntries: (entries) =>
      run(({ unsynced, journal, journalTexts, usage }) => {
        const added = entries.map(({ entry }) => entry);
        unsynced
          .transaction(() => {
            journal.add(added);
            usage.add(entries);
          })
          .immediate();
        journalTexts.add(added);
      }),
    listEntries: (filter, position) => run(({ journal }) => journal.list(filter, position)),
    findEntry: (id) => run(({ journal }) => journal.find(id)),
    dailyUsage: (by, from, to) => run(({ usage }) => usage.daily(by, from, to)),
    hourlyUsage: (since) => run(({ usage }) => usage.hourly(since)),
    lastUses: () => run(({ usage }) => usage.lastUses()),
    trimEntries: ({ rows, before, day, keepTexts }) =>
      run(({ journal, journalTexts, usage }) => {
        journal.trim(rows, before);
        if (!keepTexts) journalTexts.removeAll();
        usage.trim(day);
      }),
  };
}

export function createSessionStore(run: Run): SessionStore {
  return {
    addSession: (session, limit) => run(({ sessions }) => sessions.add(session, limit)),
    findSession: (sha256, now) => run(({ sessions }) => sessions.find(sha256, now)),
    removeSession: (sha256) => run(({ sessions }) => sessions.remove(sha256)),
    removeSessions: () => run(({ sessions }) => sessions.removeAll()),
    addLoginCode: (sha256, expiresAt, now) => run(({ sessions }) => sessions.addCode(sha256, expiresAt, now)),
    takeLoginCode: (sha256, now) => run(({ sessions }) => sessions.takeCode(sha256, now)),
  };
}

export function createStoreIndex(run: Run): StoreIndex {
  return {
    listSecrets: () => run(({ index }) => index.listSecrets()),
    listFileOwners: () => run(({ index }) => index.listFileOwners()),
    listCapabilityAccounts: () => run(({ index }) => index.listCapabilityAccounts()),
    listResponses: () => run(({ index }) => index.listResponses()),
    listNodes: (after, limit) => run(({ index }) => index.listNodes(after, limit)),
  };
}

export function createCapabilityStore(run: Run): CapabilityStore {
  return {
    listCapabilities: (account) => run(({ capabilities }) => capabilities.list(account)),
    saveCapabilities: (changed) => run(({ capabilities }) => capabilities.save(changed)),
  };
}
