import { createHash } from "node:crypto";

/** A name for these parts in this order, of 43 characters; other parts have another name. */
export function hash(...parts: string[]): string {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part).update("\0");
  return digest.digest("base64url");
}
