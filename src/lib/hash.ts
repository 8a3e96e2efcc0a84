import { createHash, hash as digestOf } from "node:crypto";
import { TimeSlicer, textChunks } from "./time-slicing.js";

/** Characters hashed in one step, about a millisecond of CPU. */
const hashChunkLength = 262_144;

/** True for a text that should be hashed with `hashLong`. */
export function isLong({ length }: string): boolean {
  return length > hashChunkLength;
}

/** SHA-256 over the parts, each terminated by NUL, as base64url (43 characters). */
export function hash(...parts: string[]): string {
  return digestOf("sha256", `${parts.join("\0")}\0`, "base64url");
}

/** The same hash for parts of any length; yields to the event loop while hashing. */
export async function hashLong(...parts: string[]): Promise<string> {
  if (!parts.some(isLong)) return hash(...parts);
  const digest = createHash("sha256");
  const slices = new TimeSlicer();
  for (const part of parts) {
    for (const piece of textChunks(part, hashChunkLength)) {
      digest.update(piece);
      await slices.yieldIfDue();
    }
    digest.update("\0");
  }
  return digest.digest("base64url");
}
