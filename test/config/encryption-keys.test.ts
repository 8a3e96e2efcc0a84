import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { readEncryptionKeys } from "../../src/config/encryption-keys.js";
import { ConfigError } from "../../src/config/validate.js";

const [key, old] = [randomBytes(32), randomBytes(32)];

test("accepts 32 bytes as hex or base64, with a trailing line break as in secret files", () => {
  for (const written of [key.toString("hex"), key.toString("base64"), key.toString("base64url")]) {
    expect(readEncryptionKeys({ MOONBRIDGE_ENCRYPTION_KEY: `${written}\n` })).toEqual([key]);
  }
});

test("returns the old key after the new one, and treats empty variables as unset", () => {
  const both = {
    MOONBRIDGE_ENCRYPTION_KEY: key.toString("hex"),
    MOONBRIDGE_ENCRYPTION_KEY_OLD: old.toString("base64"),
  };
  expect(readEncryptionKeys(both)).toEqual([key, old]);
  expect(readEncryptionKeys({})).toEqual([]);
  expect(readEncryptionKeys({ MOONBRIDGE_ENCRYPTION_KEY: "", MOONBRIDGE_ENCRYPTION_KEY_OLD: "" })).toEqual(
    [],
  );
});

test.each([
  "CANARY",
  key.toString("hex").slice(1),
  key.toString("base64").slice(2),
  randomBytes(16).toString("hex"),
  randomBytes(33).toString("base64"),
  `${key.toString("hex")}00`,
])("rejects other values with a remedy and without quoting them", (value) => {
  expect(() => readEncryptionKeys({ MOONBRIDGE_ENCRYPTION_KEY: value })).toThrow(ConfigError);
  expect(() => readEncryptionKeys({ MOONBRIDGE_ENCRYPTION_KEY: value })).toThrow(/openssl rand -base64 32/);
  expect(() => readEncryptionKeys({ MOONBRIDGE_ENCRYPTION_KEY: value })).not.toThrow(value);
});

test("rejects an old key without a new one", () => {
  expect(() => readEncryptionKeys({ MOONBRIDGE_ENCRYPTION_KEY_OLD: key.toString("hex") })).toThrow(
    /_OLD: this is of use only/,
  );
});
