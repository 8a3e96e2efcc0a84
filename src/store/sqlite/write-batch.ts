import type Database from "libsql";

type PendingWrite = { work: () => void; resolve(): void; reject(error: unknown): void };

/**
 * Collects the writes of one event loop iteration into one transaction: a transaction per write would cost twice as
 * much and delay every stream. A write that fails does not affect the others.
 */
export class WriteBatch {
  readonly #database: Database.Database;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  #pending: PendingWrite[] = [];

  constructor(database: Database.Database) {
    this.#database = database;
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
  }

  /** Resolves once the write survives the process being killed. */
  add(work: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ work, resolve, reject });
      if (this.#pending.length === 1) setImmediate(() => this.flush());
    });
  }

  /** Commits all pending writes. */
  flush(): void {
    const writes = this.#pending;
    if (writes.length === 0) return;
    this.#pending = [];
    try {
      const failures = writes.length === 1 ? runEach(writes) : this.#runInTransaction(writes);
      writes.forEach((write, index) => {
        const failure = failures[index];
        if (failure) write.reject(failure.error);
        else write.resolve();
      });
    } catch (error) {
      for (const write of writes) write.reject(error);
    }
  }

  #runInTransaction(writes: readonly PendingWrite[]): Failure[] {
    this.#begin.run();
    try {
      const failures = runEach(writes);
      this.#commit.run();
      return failures;
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

type Failure = { error: unknown } | undefined;

/** One result per write; SQLite rolls back only the statement that fails. */
function runEach(writes: readonly PendingWrite[]): Failure[] {
  return writes.map(({ work }) => {
    try {
      work();
      return undefined;
    } catch (error) {
      return { error };
    }
  });
}
