import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts a text with AES-256-GCM: nonce, ciphertext and tag. `associatedText` is authenticated but not contained, so the
 * result opens only where the same text is given again. `key`: 32 bytes.
 */
export function encryptText(key: Buffer, text: string, associatedText: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(associatedText));
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
}

/** The text; undefined unless it was encrypted with this key and this associated text, and is unaltered. */
export function decryptText(key: Buffer, encrypted: Buffer, associatedText: string): string | undefined {
  if (encrypted.length < nonceBytes + tagBytes) return undefined;
  const nonce = encrypted.subarray(0, nonceBytes);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(associatedText));
  decipher.setAuthTag(encrypted.subarray(-tagBytes));
  try {
    const text = decipher.update(encrypted.subarray(nonceBytes, -tagBytes));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

/** The bytes that a canonical base64url text encodes; undefined for any other, of which Node's decoder ignores parts. */
export function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}
