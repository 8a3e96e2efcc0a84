import Connection from "libsql/promise";

/** Writes after which what stands in the -wal file is moved into the database. */
const writesBetween = 500;

/** Twice: the second takes what was written during the first, so that the file can be begun anew. */
const move = "PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(PASSIVE)";

/**
 * Moves what was written from the -wal file into the database, on a thread of libsql's own: it waits for the disk, and
 * on the event loop every stream would wait with it.
 */
export class Checkpoints {
  readonly #path: string;
  #connection: Connection | undefined;
  #writes = 0;
  #running: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  written(count: number): void {
    this.#writes += count;
    if (this.#writes < writesBetween || this.#running) return;
    this.#writes = 0;
    this.#running = this.#move().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when nothing uses the file any more. */
  async close(): Promise<void> {
    await this.#running;
    this.#connection?.close();
  }

  async #move(): Promise<void> {
    try {
      this.#connection ??= new Connection(this.#path, {});
      await this.#connection.exec(move);
    } catch {
      // Nothing is lost: what was not moved stays in the -wal file and is read from there.
    }
  }
}
