import { randomBytes } from "node:crypto";
import { limits } from "../core/limits.js";
import type { SessionStore } from "../core/session.js";
import { hash } from "../lib/hash.js";

/** Makes a code that opens a session of the console once, within ten minutes. Only its hash is stored. */
export async function createLoginCode(store: SessionStore): Promise<string> {
  const code = randomBytes(18).toString("base64url");
  const now = Date.now();
  await store.addLoginCode(hash(code), now + limits.loginCode, now);
  return code;
}
