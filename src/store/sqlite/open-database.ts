import type Database from "libsql";
import { CredentialCipher } from "../encryption.js";
import { toStoreError } from "../errors.js";
import { SqliteAccountNames } from "./account-names.js";
import { SqliteCapabilities } from "./capabilities.js";
import { SqliteChats } from "./chats.js";
import { SqliteConversations } from "./conversations.js";
import { SqliteCredentials } from "./credentials.js";
import { checkDatabase, connect, prepareFile, restrictPermissions, truncateWal } from "./database-file.js";
import { SqliteFiles } from "./files.js";
import { SqliteJournal } from "./journal.js";
import { SqliteJournalTexts } from "./journal-texts.js";
import { SqliteKeyUsage } from "./key-usage.js";
import { SqliteKeys } from "./keys.js";
import { migrate } from "./migrations.js";
import { SqliteNodeTrimmer } from "./node-trimmer.js";
import { SqliteResponses } from "./responses.js";
import { SqliteSessions } from "./sessions.js";
import { SqliteIndex } from "./store-index.js";
import { SqliteUploads } from "./uploads.js";
import { SqliteUsage } from "./usage.js";
import { WriteBatch } from "./write-batch.js";

/** The two connections to a database file, and its tables. `unsynced` is the connection of the batch. */
export type OpenDatabase = {
  connections: readonly Database.Database[];
  unsynced: Database.Database;
  credentials: SqliteCredentials;
  accountNames: SqliteAccountNames;
  keys: SqliteKeys;
  keyUsage: SqliteKeyUsage;
  chats: SqliteChats;
  conversations: SqliteConversations;
  nodeTrimmer: SqliteNodeTrimmer;
  responses: SqliteResponses;
  uploads: SqliteUploads;
  files: SqliteFiles;
  journal: SqliteJournal;
  journalTexts: SqliteJournalTexts;
  usage: SqliteUsage;
  sessions: SqliteSessions;
  capabilities: SqliteCapabilities;
  index: SqliteIndex;
  batch: WriteBatch;
};

/**
 * Opens the file, migrates it and prepares the statements of all tables. Throws StoreError, and leaves the file unchanged, as
 * `SqliteStore.open` says.
 */
export async function openDatabase(
  file: string,
  encryptionKeys: readonly Buffer[],
): Promise<{ database: OpenDatabase; notes: string[] }> {
  await prepareFile(file);
  const connections: Database.Database[] = [];
  try {
    checkDatabase(file);
    const synced = connect(file, "FULL");
    connections.push(synced);
    const notes = migrate(synced);
    const unsynced = connect(file, "NORMAL");
    connections.push(unsynced);
    await restrictPermissions(file);
    const cipher = new CredentialCipher(encryptionKeys);
    const credentials = new SqliteCredentials(synced, cipher);
    if (credentials.listOutdated().length > 0)
      synced.transaction(() => credentials.encryptOutdated()).immediate();
    const journalTexts = new SqliteJournalTexts(synced, cipher);
    if (encryptionKeys.length > 0) {
      journalTexts.removePlain();
      // It may still contain credentials in plain text.
      truncateWal(synced);
    }
    const database = {
      connections,
      unsynced,
      credentials,
      accountNames: new SqliteAccountNames(synced, credentials),
      keys: new SqliteKeys(synced, cipher),
      keyUsage: new SqliteKeyUsage(unsynced),
      chats: new SqliteChats(unsynced),
      conversations: new SqliteConversations(unsynced),
      nodeTrimmer: new SqliteNodeTrimmer(unsynced),
      responses: new SqliteResponses(unsynced),
      uploads: new SqliteUploads(unsynced),
      files: new SqliteFiles(synced),
      journal: new SqliteJournal(unsynced, journalTexts),
      journalTexts,
      usage: new SqliteUsage(unsynced),
      sessions: new SqliteSessions(synced),
      capabilities: new SqliteCapabilities(synced),
      index: new SqliteIndex(synced, cipher),
      batch: new WriteBatch(unsynced),
    };
    return { database, notes };
  } catch (error) {
    for (const connection of connections) connection.close();
    throw toStoreError(file, error);
  }
}
