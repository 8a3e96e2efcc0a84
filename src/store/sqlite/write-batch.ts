import type Database from "libsql";

type Write = { work: () => void; resolve(): void; reject(error: unknown): void };

/**
 * Collects the writes of one turn of the event loop and makes them one transaction: a transaction each would cost
 * twice as much and hold up every stream. A write that fails leaves the others as they are.
 */
export class WriteBatch {
  readonly #database: Database.Database;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #written: (count: number) => void;
  #writes: Write[] = [];

  /** `written` hears of every transaction how many writes it took. */
  constructor(database: Database.Database, written: (count: number) => void) {
    this.#database = database;
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#written = written;
  }

  /** Resolves when it would survive the process being killed. */
  add(work: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#writes.push({ work, resolve, reject });
      if (this.#writes.length === 1) setImmediate(() => this.flush());
    });
  }

  /** Writes what waits, now. */
  flush(): void {
    const writes = this.#writes;
    if (writes.length === 0) return;
    this.#writes = [];
    try {
      const failures = writes.length === 1 ? attempt(writes) : this.#together(writes);
      writes.forEach((write, at) => {
        const failure = failures[at];
        if (failure) write.reject(failure.error);
        else write.resolve();
      });
      this.#written(writes.length);
    } catch (error) {
      for (const write of writes) write.reject(error);
    }
  }

  #together(writes: readonly Write[]): Failure[] {
    this.#begin.run();
    try {
      const failures = attempt(writes);
      this.#commit.run();
      return failures;
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

type Failure = { error: unknown } | undefined;

/** What went wrong with each; SQLite takes back a statement that fails, and that one alone. */
function attempt(writes: readonly Write[]): Failure[] {
  return writes.map(({ work }) => {
    try {
      work();
      return undefined;
    } catch (error) {
      return { error };
    }
  });
}
