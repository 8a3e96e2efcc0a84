import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CredentialCipher } from "../../src/store/encryption.js";
import { StoreError } from "../../src/store/errors.js";

const [key, other] = [randomBytes(32), randomBytes(32)];

describe("an encrypted value", () => {
  test("decrypts to the original text and differs in each encryption", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, name) => {
        const cipher = new CredentialCipher([key]);
        const encrypted = cipher.encrypt(text, name);
        expect(cipher.decrypt(encrypted, name)).toEqual({ text, isOutdated: false });
        expect(cipher.encrypt(text, name)).not.toBe(encrypted);
        if (text.length > 3) expect(encrypted).not.toContain(text);
      }),
    );
  });

  test("does not decrypt if any of its characters was changed", () => {
    const cipher = new CredentialCipher([key]);
    const plain = JSON.stringify({ current: { accessToken: "a", refreshToken: "r" }, savedAt: 1 });
    // Lengths that leave 0, 2 and 4 unused bits in the last character of base64.
    for (const text of [plain, `${plain} `, `${plain}  `]) {
      const encrypted = cipher.encrypt(text, "me");
      for (let at = 0; at < encrypted.length; at++) {
        for (const bit of [1, 2, 4, 8, 16, 32, 64]) {
          const tampered =
            encrypted.slice(0, at) +
            String.fromCharCode(encrypted.charCodeAt(at) ^ bit) +
            encrypted.slice(at + 1);
          const decrypted = () => cipher.decrypt(tampered, "me").text;
          // Without its prefix it counts as plain text, which is no valid JSON.
          if (at < "sealed-1:".length) expect(() => JSON.parse(decrypted())).toThrow();
          else expect(decrypted).toThrow(StoreError);
        }
      }
    }
  });

  test.each<[string, (encrypted: string) => string]>([
    ["cut short", (encrypted) => encrypted.slice(0, -1)],
    ["cut to its prefix", () => "sealed-1:"],
    ["lengthened", (encrypted) => `${encrypted}A`],
    ["padded", (encrypted) => `${encrypted}=`],
    ["with a space in it", (encrypted) => `${encrypted.slice(0, 30)} ${encrypted.slice(30)}`],
  ])("does not decrypt %s", (_, tamper) => {
    const cipher = new CredentialCipher([key]);
    expect(() => cipher.decrypt(tamper(cipher.encrypt("text", "me")), "me")).toThrow(StoreError);
  });

  test("does not decrypt with another associated name or another key", () => {
    const encrypted = new CredentialCipher([key]).encrypt("text", "me");
    expect(() => new CredentialCipher([key]).decrypt(encrypted, "you")).toThrow(
      /is not the key .* or the database was changed/,
    );
    expect(() => new CredentialCipher([other]).decrypt(encrypted, "me")).toThrow(/is not the key/);
    expect(() => new CredentialCipher([]).decrypt(encrypted, "me")).toThrow(/Set MOONBRIDGE_ENCRYPTION_KEY/);
  });
});
