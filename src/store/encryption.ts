import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { StoreError } from "./errors.js";

/** What a sealed value begins with; the number is the version of its form. */
const mark = "sealed-1:";
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals what is secret in the store, with AES-256-GCM: `sealed-1:` and nonce, ciphertext and tag as base64url. The
 * name that is given with a value is not in it, but it opens under no other one: rows cannot change places.
 */
export class Seal {
  readonly #keys: readonly Buffer[];

  /** The first key seals; the others only open what was sealed with them before. Without any, values stay plain. */
  constructor(keys: readonly Buffer[]) {
    this.#keys = keys;
  }

  seal(text: string, name: string): string {
    const key = this.#keys[0];
    if (!key) return text;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(name));
    const parts = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
    return mark + Buffer.concat(parts).toString("base64url");
  }

  /**
   * The text inside, and whether it is to be sealed anew because it was plain or under an older key. Throws StoreError
   * if no key opens it.
   */
  open(value: string, name: string): { text: string; stale: boolean } {
    if (!value.startsWith(mark)) return { text: value, stale: this.#keys.length > 0 };
    if (this.#keys.length === 0) throw new StoreError(noKey);
    const sealed = Buffer.from(value.slice(mark.length), "base64url");
    // The decoder overlooks what does not belong there, and we do not.
    if (mark + sealed.toString("base64url") === value) {
      for (const key of this.#keys) {
        const text = unseal(sealed, key, name);
        if (text !== undefined) return { text, stale: key !== this.#keys[0] };
      }
    }
    throw new StoreError(noneOpens);
  }
}

function unseal(sealed: Buffer, key: Buffer, name: string): string | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(name));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  try {
    const text = decipher.update(sealed.subarray(nonceBytes, -tagBytes));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

const noKey =
  "The database's logins are sealed, and there is no key to open them. Set MOONBRIDGE_ENCRYPTION_KEY to the one that " +
  "they were sealed with. If it is lost, move the database away and log in again.";
const noneOpens =
  "A login in the database cannot be opened: MOONBRIDGE_ENCRYPTION_KEY is not the key that it was sealed with, or the " +
  "database was changed. Set the right key; after a rotation the one before goes into MOONBRIDGE_ENCRYPTION_KEY_OLD. " +
  "If it is lost, restore a backup, or move the database away and log in again.";
