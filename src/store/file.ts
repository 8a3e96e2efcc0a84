import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Store, StoredCredentials, StoredKey } from "./store.js";

const TokenPair = Type.Object({
  accessToken: Type.Optional(Type.String()),
  refreshToken: Type.Optional(Type.String()),
});

const State = Type.Object({
  version: Type.Literal(1),
  credentials: Type.Record(
    Type.String(),
    Type.Object({
      current: TokenPair,
      previous: Type.Optional(TokenPair),
      startedFrom: Type.String(),
      savedAt: Type.Number(),
    }),
  ),
  keys: Type.Array(Type.Object({ name: Type.String(), sha256: Type.String() })),
});
type State = Static<typeof State>;

/** A store that cannot be read or written; the message names the file and the remedy. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/**
 * The store as one small JSON file, readable by its owner only. Every change writes a whole new file beside it,
 * syncs it and renames it, so that a crash leaves the old state or the new one, never half of either.
 */
export class FileStore implements Store {
  readonly #path: string;
  #state: State;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, state: State) {
    this.#path = path;
    this.#state = state;
  }

  /** Throws StoreError if the file is damaged or its folder cannot be written; it is never replaced silently. */
  static async open(path: string): Promise<FileStore> {
    const state = await readState(path);
    try {
      await mkdir(dirname(path), { recursive: true });
      await access(dirname(path), constants.W_OK);
    } catch (cause) {
      throw new StoreError(
        `The folder of the state file ${path} cannot be written. Set "store" to a file that can.`,
        {
          cause,
        },
      );
    }
    return new FileStore(path, state);
  }

  async credentials(account: string): Promise<StoredCredentials | undefined> {
    return Object.hasOwn(this.#state.credentials, account) ? this.#state.credentials[account] : undefined;
  }

  async saveCredentials(account: string, credentials: StoredCredentials): Promise<void> {
    await this.#change({
      ...this.#state,
      credentials: { ...this.#state.credentials, [account]: credentials },
    });
  }

  async keys(): Promise<readonly StoredKey[]> {
    return this.#state.keys;
  }

  async addKey(key: StoredKey): Promise<void> {
    await this.#change({ ...this.#state, keys: [...this.#state.keys, key] });
  }

  async #change(next: State): Promise<void> {
    this.#state = next;
    // One writer at a time; a waiter writes the newest state, which includes its own change.
    const write = this.#writing.then(() =>
      replaceFile(this.#path, `${JSON.stringify(this.#state, null, 2)}\n`),
    );
    this.#writing = write.catch(() => {});
    await write;
  }
}

async function readState(path: string): Promise<State> {
  let source: string;
  try {
    source = await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      return { version: 1, credentials: {}, keys: [] };
    }
    throw new StoreError(`The state file ${path} cannot be read.`, { cause });
  }
  const state = parseJson(source);
  if (Value.Check(State, state)) return state;
  // No cause: a JSON error quotes what it stumbled over, and this file holds tokens.
  throw new StoreError(
    `The state file ${path} is damaged. It holds refreshed tokens and API key hashes: restore it from a backup, ` +
      "or move it away and log in again.",
  );
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

async function replaceFile(path: string, content: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(draft, { force: true });
    throw new StoreError(`The state file ${path} could not be written.`, { cause });
  }
}

/** A rename is durable once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
