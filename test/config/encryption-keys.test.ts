import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { sealKeys } from "../../src/config/encryption-keys.js";
import { ConfigError } from "../../src/config/validate.js";

const [key, old] = [randomBytes(32), randomBytes(32)];

test("a key is 32 bytes as hex or base64, with or without the line break that secrets files have", () => {
  for (const written of [key.toString("hex"), key.toString("base64"), key.toString("base64url")]) {
    expect(sealKeys({ MOONBRIDGE_ENCRYPTION_KEY: `${written}\n` })).toEqual([key]);
  }
});

test("the old key comes after the new one; empty variables count as unset", () => {
  const both = {
    MOONBRIDGE_ENCRYPTION_KEY: key.toString("hex"),
    MOONBRIDGE_ENCRYPTION_KEY_OLD: old.toString("base64"),
  };
  expect(sealKeys(both)).toEqual([key, old]);
  expect(sealKeys({})).toEqual([]);
  expect(sealKeys({ MOONBRIDGE_ENCRYPTION_KEY: "", MOONBRIDGE_ENCRYPTION_KEY_OLD: "" })).toEqual([]);
});

test.each([
  "CANARY",
  key.toString("hex").slice(1),
  key.toString("base64").slice(2),
  randomBytes(16).toString("hex"),
  randomBytes(33).toString("base64"),
  `${key.toString("hex")}00`,
])("anything else is an error with the remedy, which does not quote it", (value) => {
  expect(() => sealKeys({ MOONBRIDGE_ENCRYPTION_KEY: value })).toThrow(ConfigError);
  expect(() => sealKeys({ MOONBRIDGE_ENCRYPTION_KEY: value })).toThrow(/openssl rand -base64 32/);
  expect(() => sealKeys({ MOONBRIDGE_ENCRYPTION_KEY: value })).not.toThrow(value);
});

test("an old key alone is a mistake", () => {
  expect(() => sealKeys({ MOONBRIDGE_ENCRYPTION_KEY_OLD: key.toString("hex") })).toThrow(
    /_OLD: this is of use only/,
  );
});
