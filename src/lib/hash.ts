import { createHash, hash as digestOf } from "node:crypto";
import { TimeSlicer, textChunks } from "./time-slicing.js";

/** Characters that are hashed in one step: about a millisecond's work. */
const hashChunkLength = 262_144;

/** Whether a text is better hashed in steps. */
export function isLong({ length }: string): boolean {
  return length > hashChunkLength;
}

/** A name for these parts in this order, of 43 characters; other parts have another name. */
export function hash(...parts: string[]): string {
  return digestOf("sha256", `${parts.join("\0")}\0`, "base64url");
}

/** The same name for parts that may be long: megabytes must hold nobody up. */
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
