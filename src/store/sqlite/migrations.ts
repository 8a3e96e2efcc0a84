import type Database from "libsql";

/** Marks the file as Moonbridge's, so that another program's database is never written to: "Moon" in ASCII. */
export const applicationId = 0x4d6f6f6e;

/** The step at index n migrates from version n to n + 1. Released steps must not change. */
export const migrations: readonly string[] = [
  `PRAGMA application_id = ${applicationId};
   CREATE TABLE credentials (account TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE locks (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE keys (id INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT;
   CREATE TABLE chats (
     id INTEGER PRIMARY KEY,
     upstream TEXT NOT NULL,
     chat TEXT NOT NULL,
     scope TEXT NOT NULL,
     due_at INTEGER NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     UNIQUE (upstream, chat)
   ) STRICT;
   CREATE INDEX chats_by_due ON chats (due_at);
   -- Rows lie in the order they were saved; only the small index of the keys is written at random places.
   CREATE TABLE threads (
     seq INTEGER PRIMARY KEY,
     key TEXT NOT NULL UNIQUE,
     chat_id INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
     parent TEXT NOT NULL,
     system TEXT NOT NULL
   ) STRICT;
   CREATE INDEX threads_by_chat ON threads (chat_id);`,
  `CREATE TABLE uploads (
     scope TEXT NOT NULL,
     digest TEXT NOT NULL,
     id TEXT NOT NULL,
     uploaded_at INTEGER NOT NULL,
     PRIMARY KEY (scope, digest)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX uploads_by_time ON uploads (uploaded_at);`,
  `CREATE TABLE files (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     owner TEXT NOT NULL,
     name TEXT NOT NULL,
     media_type TEXT NOT NULL,
     purpose TEXT NOT NULL,
     size INTEGER NOT NULL,
     digest TEXT NOT NULL,
     created_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX files_by_owner ON files (owner, seq);`,
  // Existing keys get all scopes. Two simultaneous first starts could have created two keys of one name.
  `ALTER TABLE keys ADD COLUMN created_at INTEGER;
   ALTER TABLE keys ADD COLUMN settings TEXT NOT NULL DEFAULT '{"scopes":["chat","admin"]}';
   UPDATE keys SET name = name || '-' || id WHERE id NOT IN (SELECT min(id) FROM keys GROUP BY name);
   CREATE UNIQUE INDEX keys_by_name ON keys (name);
   CREATE INDEX keys_by_hash ON keys (sha256);
   CREATE TABLE secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
  // Conversations of before are not continued; their chats are still deleted when they are due.
  `DROP TABLE threads;
   ALTER TABLE chats ADD COLUMN end_node INTEGER;
   ALTER TABLE chats ADD COLUMN claimed_by TEXT;
   ALTER TABLE chats ADD COLUMN claimed_until INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE chats ADD COLUMN answering TEXT;
   CREATE TABLE nodes (
     id INTEGER PRIMARY KEY,
     chat_id INTEGER REFERENCES chats (id) ON DELETE SET NULL,
     answer_id TEXT NOT NULL,
     parent INTEGER,
     conversation TEXT NOT NULL,
     path TEXT NOT NULL,
     other_path TEXT,
     messages TEXT NOT NULL,
     answer TEXT NOT NULL,
     other_answer TEXT,
     system_texts TEXT NOT NULL,
     system TEXT NOT NULL,
     affinity TEXT,
     has_children INTEGER NOT NULL DEFAULT 0,
     saved_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX nodes_by_path ON nodes (path);
   CREATE INDEX nodes_by_other_path ON nodes (other_path) WHERE other_path IS NOT NULL;
   CREATE INDEX nodes_by_answer ON nodes (answer, conversation);
   CREATE INDEX nodes_by_other_answer ON nodes (other_answer, conversation) WHERE other_answer IS NOT NULL;
   CREATE INDEX nodes_by_conversation ON nodes (conversation);
   CREATE INDEX nodes_by_chat ON nodes (chat_id) WHERE chat_id IS NOT NULL;
   CREATE INDEX tombstones_by_time ON nodes (saved_at) WHERE chat_id IS NULL;`,
  // The age of a tombstone counts from the end of its chat; the answers of nodes beyond the limit are remembered.
  `DROP INDEX tombstones_by_time;
   ALTER TABLE nodes ADD COLUMN ended_at INTEGER;
   UPDATE nodes SET ended_at = saved_at WHERE chat_id IS NULL;
   ALTER TABLE nodes DROP COLUMN saved_at;
   CREATE INDEX tombstones_by_end ON nodes (ended_at) WHERE ended_at IS NOT NULL;
   CREATE TABLE forgotten_answers (
     id INTEGER PRIMARY KEY,
     answer TEXT NOT NULL,
     affinity TEXT NOT NULL,
     forgotten_at INTEGER NOT NULL,
     UNIQUE (answer, affinity)
   ) STRICT;
   CREATE INDEX forgotten_answers_by_time ON forgotten_answers (forgotten_at);`,
  "ALTER TABLE nodes ADD COLUMN tool_state TEXT;",
  `CREATE TABLE responses (
     id TEXT PRIMARY KEY,
     owner TEXT NOT NULL,
     previous TEXT,
     body TEXT NOT NULL,
     expires_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX responses_by_expiry ON responses (expires_at, length(body));`,
  `CREATE TABLE key_usage (
     key TEXT NOT NULL,
     day TEXT NOT NULL,
     requests INTEGER NOT NULL,
     tokens INTEGER NOT NULL,
     PRIMARY KEY (key, day)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE journal (
     id INTEGER PRIMARY KEY,
     request TEXT NOT NULL,
     ended_at INTEGER NOT NULL,
     key TEXT,
     model TEXT,
     upstream TEXT,
     dialect TEXT,
     failure TEXT,
     outcome TEXT NOT NULL,
     input_tokens INTEGER,
     cached_tokens INTEGER,
     output_tokens INTEGER,
     first_output INTEGER,
     entry TEXT NOT NULL
   ) STRICT;
   CREATE INDEX journal_by_request ON journal (request);
   CREATE INDEX journal_by_time ON journal (ended_at);
   CREATE TABLE usage_days (
     day TEXT NOT NULL,
     key TEXT NOT NULL,
     model TEXT NOT NULL,
     account TEXT NOT NULL,
     outcome TEXT NOT NULL,
     requests INTEGER NOT NULL,
     input_tokens INTEGER NOT NULL,
     cached_tokens INTEGER NOT NULL,
     output_tokens INTEGER NOT NULL,
     last_at INTEGER NOT NULL,
     PRIMARY KEY (day, key, model, account, outcome)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE sessions (
     sha256 TEXT PRIMARY KEY,
     key TEXT NOT NULL,
     key_sha256 TEXT,
     scopes TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE login_codes (
     sha256 TEXT PRIMARY KEY,
     expires_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE capabilities (
     account TEXT NOT NULL,
     name TEXT NOT NULL,
     value TEXT NOT NULL,
     source TEXT NOT NULL,
     changed_at INTEGER NOT NULL,
     PRIMARY KEY (account, name)
   ) STRICT, WITHOUT ROWID;`,
  // Tokens of locks ascend; a row of credentials has the one under which it was saved.
  `ALTER TABLE locks ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE credentials ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE lock_tokens (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL) STRICT;
   INSERT INTO lock_tokens (id, last) VALUES (1, 0);`,
  `CREATE TABLE journal_texts (
     entry INTEGER PRIMARY KEY REFERENCES journal (id) ON DELETE CASCADE,
     texts TEXT NOT NULL
   ) STRICT;`,
];

/** The first version that stores conversations as nodes. */
const nodesVersion = 5;
const droppedConversations =
  "Conversations of an earlier version are not continued: their next turns are sent whole, to new chats. Their old chats are still deleted when they are due.";

/** Migrates the file to the newest version, each step in one transaction. Returns sentences about what is lost by it. */
export function migrate(database: Database.Database, steps: readonly string[] = migrations): string[] {
  const versionBefore = readSchemaVersion(database);
  while (readSchemaVersion(database) < steps.length) {
    database
      .transaction(() => {
        // Another process may have done this step while this one waited for the write lock.
        const version = readSchemaVersion(database);
        const step = steps[version];
        if (step === undefined) return;
        database.exec(step);
        database.exec(`PRAGMA user_version = ${version + 1}`);
      })
      .immediate();
  }
  return versionBefore > 0 && versionBefore < nodesVersion ? [droppedConversations] : [];
}

/** The number of migrations that were applied to the file. */
export function readSchemaVersion(database: Database.Database): number {
  return Number(readPragma(database, "user_version"));
}

/** The single value that a pragma returns. */
export function readPragma(database: Database.Database, pragma: string): unknown {
  const row = database.prepare(`PRAGMA ${pragma}`).raw().get();
  return Array.isArray(row) ? row[0] : undefined;
}
