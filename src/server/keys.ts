import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Caller } from "../chat/types.js";
import type { KeyConfig } from "../config/schema.js";
import type { StoredKey } from "../store/store.js";

type Entry = { caller: Caller; hash: Buffer };

/** The API keys that open this server, by their hashes only. */
export class KeyRing {
  readonly #entries: Entry[];

  constructor(configured: readonly KeyConfig[], stored: readonly StoredKey[]) {
    this.#entries = [
      ...configured.map(({ name, key, chats, citations }) => ({
        caller: { key: name, ...(chats ? { chats } : {}), ...(citations ? { citations } : {}) },
        hash: hashOf(key),
      })),
      ...stored.map(({ name, sha256 }) => ({ caller: { key: name }, hash: Buffer.from(sha256, "hex") })),
    ];
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Whose key it is, or undefined; takes the same time whichever it is and wherever it differs. */
  find(key: string): Caller | undefined {
    const hash = digest(key);
    let found: Caller | undefined;
    for (const entry of this.#entries) {
      if (entry.hash.length === hash.length && timingSafeEqual(entry.hash, hash)) found = entry.caller;
    }
    return found;
  }
}

/** A new key to show once, and what is kept of it. */
export function createKey(name: string): { key: string; stored: StoredKey } {
  const key = `sk-moonbridge-${randomBytes(24).toString("base64url")}`;
  return { key, stored: { name, sha256: digest(key).toString("hex") } };
}

function hashOf(key: string): Buffer {
  const hex = /^sha256:([0-9a-f]{64})$/i.exec(key)?.[1];
  return hex ? Buffer.from(hex, "hex") : digest(key);
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
