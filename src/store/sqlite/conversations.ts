import { type Static, type TSchema, Type } from "@sinclair/typebox";
import type Database from "libsql";
import type { ChatClaim, ConversationNode, ConversationStore, NodeQuery } from "../../core/store.js";
import { readRow } from "./database-file.js";

const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const NodeRow = Type.Tuple([
  Type.Number(),
  Type.String(),
  orNull(Type.Number()),
  Type.String(),
  Type.String(),
  orNull(Type.String()),
  Type.String(),
  Type.String(),
  orNull(Type.String()),
  Type.String(),
  Type.String(),
  orNull(Type.String()),
  orNull(Type.String()),
  Type.Number(),
  orNull(Type.String()),
  orNull(Type.String()),
  orNull(Type.Number()),
  orNull(Type.String()),
  orNull(Type.String()),
]);
const TextRow = Type.Tuple([Type.String()]);

/** In the order of `NodeRow`. The chat's columns are null for a tombstone and for a chat that is due. */
const nodeColumns = `n.id, n.answer_id, n.parent, n.conversation, n.path, n.other_path, n.messages, n.answer,
  n.other_answer, n.system_texts, n.system, n.affinity, n.tool_state, n.has_children, c.upstream, c.chat, c.end_node,
  iif(c.claimed_until > @now, c.answering, NULL), c.scope`;
const nodesWithChats = "nodes n LEFT JOIN chats c ON c.id = n.chat_id AND c.due_at > @now";

type NewNode = Parameters<ConversationStore["saveNode"]>[0];
type ChatReference = Parameters<ConversationStore["saveNode"]>[1];
type Claim = Parameters<ConversationStore["claimChat"]>[0];

/** The nodes of conversations. Every look-up uses an index and reads at most `limit` rows, however many nodes there are. */
export class SqliteConversations {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#statements = prepareStatements(database);
  }

  findNodes(query: NodeQuery, limit: number, now: number): ConversationNode[] {
    const { byPath, byAnswer, byConversation, byConversationAnswer } = this.#statements;
    switch (query.by) {
      case "path":
        return byPath.all({ hash: query.hash, limit, now }).map(toNode);
      case "answer":
        return byAnswer.all({ hash: query.hash, limit, now }).map(toNode);
      case "conversation":
        return byConversation.all({ hash: query.hash, limit, now }).map(toNode);
      case "conversation-answer": {
        const { conversation, answer } = query;
        return byConversationAnswer.all({ conversation, hash: answer, limit, now }).map(toNode);
      }
    }
  }

  findPath(id: number, limit: number, now: number): ConversationNode[] {
    const path: ConversationNode[] = [];
    let next: number | undefined = id;
    while (next !== undefined && path.length < limit) {
      const row = this.#statements.byId.get({ id: next, now });
      if (row === undefined) break;
      const node = toNode(row);
      path.push(node);
      next = node.parent;
    }
    return path;
  }

  knownHashes(hashes: readonly string[]): ReadonlySet<string> {
    const rows = this.#statements.known.all({ hashes: JSON.stringify(hashes) });
    return new Set(rows.map((row) => readRow(TextRow, row)[0]));
  }

  claimChat({ isLine, isLeaf, until, dueAt, ...claim }: Claim): boolean {
    const flags = { isLine: isLine ? 1 : 0, isLeaf: isLeaf ? 1 : 0 };
    const times = { until: Math.round(until), dueAt: Math.round(dueAt) };
    return this.#statements.claim.run({ ...claim, ...flags, ...times }).changes > 0;
  }

  extendClaim({ upstream, chat, owner }: ChatClaim, until: number): void {
    this.#statements.extend.run({ upstream, chat, owner, until: Math.round(until) });
  }

  releaseChat({ upstream, chat, owner }: ChatClaim, end: number | undefined): void {
    this.#statements.release.run({ upstream, chat, owner, end: end ?? null });
  }

  saveNode(node: NewNode, { upstream, chat }: ChatReference): void {
    const [path = "", otherPath = null] = node.paths;
    const [answer = "", otherAnswer = null] = node.answers;
    this.#atomically(() => {
      const { changes, lastInsertRowid } = this.#statements.insert.run({
        upstream,
        chat,
        answerId: node.answerId,
        parent: node.parent ?? null,
        conversation: node.conversation,
        path,
        otherPath,
        messages: node.messages.join(" "),
        answer,
        otherAnswer,
        systemTexts: node.systemTexts.join(" "),
        system: node.system,
        affinity: node.affinity ?? null,
        toolState: node.toolState ?? null,
      });
      if (changes === 0) return;
      if (node.parent !== undefined) this.#statements.markParent.run(node.parent);
      this.#statements.setEnd.run({ upstream, chat, end: Number(lastInsertRowid) });
    });
  }

  isAnswerForgotten(answer: string, affinity: string | undefined): boolean {
    return this.#statements.forgotten.get({ answer, affinity: affinity ?? null }) !== undefined;
  }

  /**
   * Nested in the transaction of a write batch, else in one of its own. Not a savepoint there: if its commit fails, as on
   * a full disk, the connection stays in a transaction that nothing ends.
   */
  #atomically(work: () => void): void {
    const isNested = this.#database.inTransaction;
    this.#database.exec(isNested ? "SAVEPOINT node" : "BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec(isNested ? "RELEASE node" : "COMMIT");
    } catch (error) {
      // After some errors SQLite has already rolled back everything.
      if (this.#database.inTransaction)
        this.#database.exec(isNested ? "ROLLBACK TO node; RELEASE node" : "ROLLBACK");
      throw error;
    }
  }
}

function toNode(row: unknown): ConversationNode {
  const values: Static<typeof NodeRow> = readRow(NodeRow, row);
  const [id, answerId, parent, conversation, path, otherPath, messages, answer, otherAnswer, ...rest] =
    values;
  const [systemTexts, system, affinity, toolState, hasChildren, upstream, chat, end, answering, scope] = rest;
  const nodeChat =
    upstream === null || chat === null || scope === null
      ? undefined
      : {
          upstream,
          chat,
          scope,
          ...(end === null ? {} : { end }),
          ...(answering === null ? {} : { answering }),
        };
  return {
    id,
    ...(nodeChat ? { chat: nodeChat } : {}),
    answerId,
    ...(parent === null ? {} : { parent }),
    conversation,
    paths: otherPath === null ? [path] : [path, otherPath],
    messages: splitHashes(messages),
    answers: otherAnswer === null ? [answer] : [answer, otherAnswer],
    systemTexts: splitHashes(systemTexts),
    system,
    ...(affinity === null ? {} : { affinity }),
    ...(toolState === null ? {} : { toolState }),
    hasChildren: hasChildren !== 0,
  };
}

function splitHashes(joined: string): string[] {
  return joined === "" ? [] : joined.split(" ");
}

function prepareStatements(database: Database.Database) {
  const write = (sql: string) => database.prepare(sql);
  const read = (sql: string) => database.prepare(sql).raw();
  const whereChat = "upstream = @upstream AND chat = @chat";
  // Two index look-ups, one for each form, instead of one scan over the rows with either.
  const byEitherForm = (column: string, condition: string, order: string) => {
    const rowsWith = (form: string) =>
      `SELECT * FROM (SELECT id FROM nodes WHERE ${form} = @hash ${condition} ${order} LIMIT @limit)`;
    return read(
      `SELECT ${nodeColumns} FROM (${rowsWith(column)} UNION ${rowsWith(`other_${column}`)}) found
       CROSS JOIN ${nodesWithChats} WHERE n.id = found.id ORDER BY n.id DESC LIMIT @limit`,
    );
  };
  return {
    byPath: byEitherForm("path", "", "ORDER BY id DESC"),
    byAnswer: byEitherForm("answer", "", ""),
    byConversationAnswer: byEitherForm("answer", "AND conversation = @conversation", "ORDER BY id DESC"),
    byConversation: read(
      `SELECT ${nodeColumns} FROM ${nodesWithChats} WHERE n.conversation = @hash ORDER BY n.id DESC LIMIT @limit`,
    ),
    byId: read(`SELECT ${nodeColumns} FROM ${nodesWithChats} WHERE n.id = @id`),
    known: read(
      `SELECT value FROM json_each(@hashes) WHERE EXISTS (SELECT 1 FROM nodes WHERE path = value)
         OR EXISTS (SELECT 1 FROM nodes WHERE other_path = value)
         OR EXISTS (SELECT 1 FROM nodes WHERE answer = value)
         OR EXISTS (SELECT 1 FROM nodes WHERE other_answer = value)`,
    ),
    claim: write(
      `UPDATE chats SET claimed_by = @owner, claimed_until = @until, answering = @conversation, end_node = NULL,
         due_at = @dueAt, attempts = 0
       WHERE id = (SELECT chat_id FROM nodes WHERE id = @node AND NOT (@isLeaf AND has_children))
         AND due_at > @now AND claimed_until <= @now AND (NOT @isLine OR end_node = @node)`,
    ),
    extend: write(`UPDATE chats SET claimed_until = @until WHERE ${whereChat} AND claimed_by = @owner`),
    release: write(
      `UPDATE chats SET claimed_by = NULL, claimed_until = 0, answering = NULL, end_node = coalesce(@end, end_node)
       WHERE ${whereChat} AND claimed_by = @owner`,
    ),
    insert: write(
      `INSERT INTO nodes (chat_id, answer_id, parent, conversation, path, other_path, messages, answer, other_answer,
         system_texts, system, affinity, tool_state)
       SELECT id, @answerId, @parent, @conversation, @path, @otherPath, @messages, @answer, @otherAnswer,
         @systemTexts, @system, @affinity, @toolState FROM chats WHERE ${whereChat}`,
    ),
    markParent: write("UPDATE nodes SET has_children = 1 WHERE id = ?"),
    setEnd: write(
      `UPDATE chats SET end_node = @end, claimed_by = NULL, claimed_until = 0, answering = NULL WHERE ${whereChat}`,
    ),
    forgotten: read(
      `SELECT 1 FROM forgotten_answers
       WHERE answer = @answer AND (@affinity IS NULL OR affinity = @affinity) LIMIT 1`,
    ),
  };
}
