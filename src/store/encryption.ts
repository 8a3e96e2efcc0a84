import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { StoreError } from "./errors.js";

/** Prefix of an encrypted value; the number is the version of the format. */
const prefix = "sealed-1:";
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts secrets in the store with AES-256-GCM: `sealed-1:`, then nonce, ciphertext and tag as base64url. The
 * `associatedName` of a value is authenticated but not stored, so an encrypted value is invalid in any other row.
 */
export class CredentialCipher {
  readonly #keys: readonly Buffer[];

  /** The first key encrypts; the others only decrypt older values. Without keys, values stay plain text. */
  constructor(keys: readonly Buffer[]) {
    this.#keys = keys;
  }

  encrypt(text: string, associatedName: string): string {
    const key = this.#keys[0];
    if (!key) return text;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(associatedName));
    const pieces = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
    return prefix + Buffer.concat(pieces).toString("base64url");
  }

  /**
   * The plain text; `isOutdated` if it should be encrypted again because it was plain or uses an older key. Throws
   * StoreError if no key decrypts it.
   */
  decrypt(value: string, associatedName: string): { text: string; isOutdated: boolean } {
    if (!value.startsWith(prefix)) return { text: value, isOutdated: this.#keys.length > 0 };
    if (this.#keys.length === 0) throw new StoreError(noKeyMessage);
    const encrypted = Buffer.from(value.slice(prefix.length), "base64url");
    // Node's base64url decoder ignores invalid characters; such a value is rejected here.
    if (prefix + encrypted.toString("base64url") === value) {
      for (const key of this.#keys) {
        const text = decryptWithKey(encrypted, key, associatedName);
        if (text !== undefined) return { text, isOutdated: key !== this.#keys[0] };
      }
    }
    throw new StoreError(wrongKeyMessage);
  }
}

function decryptWithKey(encrypted: Buffer, key: Buffer, associatedName: string): string | undefined {
  if (encrypted.length < nonceBytes + tagBytes) return undefined;
  const nonce = encrypted.subarray(0, nonceBytes);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(associatedName));
  decipher.setAuthTag(encrypted.subarray(-tagBytes));
  try {
    const text = decipher.update(encrypted.subarray(nonceBytes, -tagBytes));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

const noKeyMessage =
  "The database's logins are sealed, and there is no key to open them. Set MOONBRIDGE_ENCRYPTION_KEY to the one that " +
  "they were sealed with. If it is lost, move the database away and log in again.";
const wrongKeyMessage =
  "A login in the database cannot be opened: MOONBRIDGE_ENCRYPTION_KEY is not the key that it was sealed with, or the " +
  "database was changed. Set the right key; after a rotation the one before goes into MOONBRIDGE_ENCRYPTION_KEY_OLD. " +
  "If it is lost, restore a backup, or move the database away and log in again.";
