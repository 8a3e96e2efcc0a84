import { storeMessages } from "../i18n/store-messages.js";
import { decodeBase64Url, decryptText, encryptText } from "../lib/authenticated-encryption.js";
import { StoreError } from "./errors.js";

/** Prefix of an encrypted value; the number is the version of the format. */
const prefix = "sealed-1:";

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
    return prefix + encryptText(key, text, associatedName).toString("base64url");
  }

  /**
   * The plain text; `isOutdated` if it should be encrypted again because it was plain or uses an older key. Throws
   * StoreError if no key decrypts it.
   */
  decrypt(value: string, associatedName: string): { text: string; isOutdated: boolean } {
    if (!value.startsWith(prefix)) return { text: value, isOutdated: this.#keys.length > 0 };
    if (this.#keys.length === 0) throw new StoreError(storeMessages.noEncryptionKey);
    const encrypted = decodeBase64Url(value.slice(prefix.length));
    for (const key of encrypted ? this.#keys : []) {
      const text = encrypted && decryptText(key, encrypted, associatedName);
      if (text !== undefined) return { text, isOutdated: key !== this.#keys[0] };
    }
    throw new StoreError(storeMessages.wrongEncryptionKey);
  }
}
