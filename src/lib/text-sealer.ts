import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { decodeBase64Url, decryptText, encryptText } from "./authenticated-encryption.js";

/** Prefix of sealed texts and of signatures; the number is the version of the format. */
const prefix = "mb1.";

/**
 * Seals and signs what a client keeps for the server and sends back, such as the summary of a compacted history. What was
 * sealed or signed for one purpose is invalid for another.
 */
export class TextSealer {
  readonly #secret: string;

  /** `secret`: known to the server alone, the same for all of its processes and after a restart. */
  constructor(secret: string) {
    this.#secret = secret;
  }

  /** The text, encrypted and authenticated, as printable characters. */
  seal(purpose: string, text: string): string {
    return prefix + encryptText(this.#key(purpose), text, purpose).toString("base64url");
  }

  /** The sealed text; undefined if it was not sealed here for this purpose, or was altered. */
  open(purpose: string, sealed: string): string | undefined {
    const encrypted = sealed.startsWith(prefix) ? decodeBase64Url(sealed.slice(prefix.length)) : undefined;
    return encrypted && decryptText(this.#key(purpose), encrypted, purpose);
  }

  /** A signature of a text that the client keeps in the clear. */
  sign(purpose: string, text: string): string {
    return prefix + this.#digest(purpose, text).toString("base64url");
  }

  /** Whether this is the signature of the text. */
  isSigned(purpose: string, text: string, signature: string): boolean {
    const given = signature.startsWith(prefix) ? decodeBase64Url(signature.slice(prefix.length)) : undefined;
    const expected = this.#digest(purpose, text);
    return given?.length === expected.length && timingSafeEqual(given, expected);
  }

  #digest(purpose: string, text: string): Buffer {
    return createHmac("sha256", this.#key(purpose)).update(text).digest();
  }

  #key(purpose: string): Buffer {
    return Buffer.from(hkdfSync("sha256", this.#secret, "", purpose, 32));
  }
}
