import { generateKeyPairSync } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadAppConfig } from "../../src/app/load-config.js";

const fixtures = new URL("../fixtures/tls/", import.meta.url).pathname;

/** A folder with the files of a certificate, and a config that names them. */
function createFolder(tls: unknown = { certificate: "certificate.pem", key: "key.pem" }): string {
  const folder = mkdtempSync(join(tmpdir(), "moonbridge-tls-"));
  for (const name of ["certificate", "key"])
    copyFileSync(`${fixtures}one-${name}.pem`, join(folder, `${name}.pem`));
  writeFileSync(join(folder, "config.json"), JSON.stringify({ server: { tls } }));
  return folder;
}

const load = (folder: string) => loadAppConfig({ config: join(folder, "config.json") }, {});

test("the files are read relative to the config file", async () => {
  const folder = createFolder();
  expect((await load(folder)).server.tls).toEqual({
    certificate: {
      path: join(folder, "certificate.pem"),
      text: readFileSync(`${fixtures}one-certificate.pem`, "utf8"),
    },
    key: { path: join(folder, "key.pem"), text: readFileSync(`${fixtures}one-key.pem`, "utf8") },
  });
});

test.each<[string, string, string | Buffer, RegExp]>([
  ["no certificate", "certificate.pem", "hello", /^server\.tls\.certificate: .*certificate\.pem has no cert/],
  ["no key", "key.pem", "hello", /^server\.tls\.key: .*key\.pem has no private key in PEM form/],
  [
    "a key with a passphrase",
    "key.pem",
    generateKeyPairSync("ec", {
      namedCurve: "P-256",
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" },
    }).privateKey,
    /needs a passphrase/,
  ],
  [
    "the key of another certificate",
    "key.pem",
    readFileSync(`${fixtures}other-key.pem`),
    /^server\.tls\.key: .* does not belong to the first certificate in/,
  ],
])("%s is refused with a sentence", async (_name, file, content, message) => {
  const folder = createFolder();
  writeFileSync(join(folder, file), content);
  await expect(load(folder)).rejects.toThrow(message);
});

test("a file that is missing, and half of the setting, are refused with a sentence", async () => {
  await expect(load(createFolder({ certificate: "none.pem", key: "key.pem" }))).rejects.toThrow(
    /^server\.tls\.certificate: .*none\.pem does not exist\.$/,
  );
  await expect(load(createFolder({ certificate: "certificate.pem" }))).rejects.toThrow(
    "server.tls.key: this setting is missing.",
  );
});
