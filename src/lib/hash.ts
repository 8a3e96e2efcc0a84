import { createHash, createHmac, type Hash, type Hmac, hash as nodeHash } from "node:crypto";
import { textChunks } from "./text-chunks.js";
import { TimeSlicer } from "./time-slicing.js";

/** Characters hashed in one step, about a millisecond of CPU. */
const hashChunkLength = 262_144;

/** True for a text that takes more than one step to hash. */
function isLongText({ length }: string): boolean {
  return length > hashChunkLength;
}

/** SHA-256 over the parts, each terminated by NUL, as base64url (43 characters). */
export function hash(...parts: string[]): string {
  return nodeHash("sha256", `${parts.join("\0")}\0`, "base64url");
}

/** The same hash as `hash`, for parts of any length; yields to the event loop while hashing. */
export async function hashLong(...parts: string[]): Promise<string> {
  if (!parts.some(isLongText)) return hash(...parts);
  return digestLong(createHash("sha256"), parts);
}

/** The digest of the parts, each terminated by NUL, as base64url. */
async function digestLong(digest: Hash | Hmac, parts: readonly string[]): Promise<string> {
  const slicer = new TimeSlicer();
  for (const part of parts) {
    for (const chunk of textChunks(part, hashChunkLength)) {
      digest.update(chunk);
      await slicer.yieldIfDue();
    }
    digest.update("\0");
  }
  return digest.digest("base64url");
}

/** Characters of a keyed hash: 132 bits. */
const keyedHashLength = 22;

/** HMAC-SHA-256 over the parts, each terminated by NUL, as base64url, shortened to 22 characters. */
export function keyedHash(key: string, ...parts: string[]): string {
  const digest = createHmac("sha256", key)
    .update(`${parts.join("\0")}\0`)
    .digest("base64url");
  return digest.slice(0, keyedHashLength);
}

/** The same hash for parts of any length; yields to the event loop while hashing. */
export async function keyedHashLong(key: string, ...parts: string[]): Promise<string> {
  if (!parts.some(isLongText)) return keyedHash(key, ...parts);
  return (await digestLong(createHmac("sha256", key), parts)).slice(0, keyedHashLength);
}
