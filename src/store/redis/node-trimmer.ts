import type { TrimLimits } from "../../core/store.js";
import type { RedisConnection } from "./connection.js";
import { runConversationScript } from "./conversations/conversation-script.js";
import { removeForgottenAnswers, removeOldestNodes, removeTombstones } from "./conversations/trim-nodes.js";

/** What one script removes, in about a millisecond: other calls run in between. */
const nodeBatch = 50;
const answerBatch = 1_000;

/** Keeps the nodes of conversations within their limits. Several processes may trim at once. */
export class RedisNodeTrimmer {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async trim({ nodes, forgottenAnswers, tombstonesBefore: before }: TrimLimits, now: number): Promise<void> {
    const connection = this.#connection;
    await repeatWhileFull(nodeBatch, (batch) =>
      runConversationScript(connection, removeTombstones, { before, batch }),
    );
    await repeatWhileFull(nodeBatch, (batch) =>
      runConversationScript(connection, removeOldestNodes, { most: nodes, batch, now: Math.round(now) }),
    );
    await repeatWhileFull(answerBatch, (batch) =>
      runConversationScript(connection, removeForgottenAnswers, { before, most: forgottenAnswers, batch }),
    );
  }
}

async function repeatWhileFull(batch: number, remove: (batch: number) => Promise<number>): Promise<void> {
  while ((await remove(batch)) >= batch);
}
