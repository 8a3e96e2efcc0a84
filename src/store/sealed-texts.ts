import { Value } from "@sinclair/typebox/value";
import type { JournalTexts } from "../core/journal.js";
import type { CredentialCipher } from "./encryption.js";
import { StoreError } from "./errors.js";
import { JournalTextsShape } from "./stored-shapes.js";

/** What was said in a request, as a store keeps it: JSON, encrypted if the cipher has a key. */
export function sealTexts(cipher: CredentialCipher, request: string, texts: JournalTexts): string {
  return cipher.encrypt(JSON.stringify(texts), associatedName(request));
}

/** Undefined if the key that encrypted it is gone. */
export function openTexts(
  cipher: CredentialCipher,
  request: string,
  value: string,
): JournalTexts | undefined {
  const json = decrypt(cipher, request, value);
  if (json === undefined) return undefined;
  const texts: unknown = JSON.parse(json);
  if (Value.Check(JournalTextsShape, texts)) return texts;
  throw new Error("The texts of a request have another shape than what was stored.");
}

function decrypt(cipher: CredentialCipher, request: string, value: string): string | undefined {
  try {
    return cipher.decrypt(value, associatedName(request)).text;
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

function associatedName(request: string): string {
  return `journal:${request}`;
}
