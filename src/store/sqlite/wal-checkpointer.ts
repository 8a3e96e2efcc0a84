import Connection from "libsql/promise";

/** Writes between two checkpoints. */
const writesPerCheckpoint = 500;

/** Twice: the second one moves what was written during the first, so that SQLite can restart the -wal file. */
const checkpointSql = "PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(PASSIVE)";

/**
 * Checkpoints the -wal file into the database on a thread of libsql, because a checkpoint waits for the disk and would
 * block the event loop.
 */
export class WalCheckpointer {
  readonly #path: string;
  #connection: Connection | undefined;
  #writes = 0;
  #running: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Counts writes and starts a checkpoint when there are enough of them. */
  recordWrites(count: number): void {
    this.#writes += count;
    if (this.#writes < writesPerCheckpoint || this.#running) return;
    this.#writes = 0;
    this.#running = this.#checkpoint().finally(() => {
      this.#running = undefined;
    });
  }

  /** Waits for a running checkpoint and closes the connection. */
  async close(): Promise<void> {
    await this.#running;
    this.#connection?.close();
  }

  async #checkpoint(): Promise<void> {
    try {
      this.#connection ??= new Connection(this.#path, {});
      await this.#connection.exec(checkpointSql);
    } catch {
      // Nothing is lost: SQLite also reads the -wal file.
    }
  }
}
