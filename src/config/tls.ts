import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import type { Message } from "../i18n/text.js";
import { errorCode } from "../lib/error-code.js";
import { ConfigError } from "./validate.js";

/** A PEM file of the configuration, as it was read. */
type PemFile = { path: string; text: string };

/** The certificate, with those of its chain behind it, and its private key. They fit. */
export type TlsFiles = { certificate: PemFile; key: PemFile };

/**
 * Reads the files of `server.tls`; `folder` is what their paths are relative to. Throws ConfigError if TLS cannot work with
 * them. A certificate that has expired causes a warning: clients may be set to accept it.
 */
export async function readTlsFiles(
  paths: { certificate: string; key: string },
  folder: string,
  warnings: Message[],
): Promise<TlsFiles> {
  const certificate = await readPem(resolve(folder, paths.certificate), "server.tls.certificate");
  const key = await readPem(resolve(folder, paths.key), "server.tls.key");
  const leaf = parseCertificate(certificate);
  if (!leaf.checkPrivateKey(parseKey(key)))
    throw new ConfigError(
      `server.tls.key: ${key.path} does not belong to the first certificate in ${certificate.path}. ` +
        "That one must be the server's own, in front of those that have signed it.",
    );
  try {
    createSecureContext({ cert: certificate.text, key: key.text });
  } catch (cause) {
    throw new ConfigError(
      `server.tls.certificate: OpenSSL refuses ${certificate.path} (${errorCode(cause) ?? "unknown reason"}).`,
      { cause },
    );
  }
  if (Date.parse(leaf.validTo) < Date.now())
    warnings.push(`server.tls.certificate: ${certificate.path} expired on ${leaf.validTo}`);
  return { certificate, key };
}

async function readPem(path: string, setting: string): Promise<PemFile> {
  try {
    return { path, text: await readFile(path, "utf8") };
  } catch (cause) {
    const problem = errorCode(cause) === "ENOENT" ? "does not exist" : "cannot be read";
    throw new ConfigError(`${setting}: ${path} ${problem}.`, { cause });
  }
}

function parseCertificate({ path, text }: PemFile): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    const message = `server.tls.certificate: ${path} has no certificate in PEM form (-----BEGIN CERTIFICATE-----).`;
    throw new ConfigError(message, { cause });
  }
}

function parseKey({ path, text }: PemFile) {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const message = /ENCRYPTED/.test(text)
      ? `server.tls.key: ${path} needs a passphrase. “openssl pkey -in FILE -out FILE” writes a key without one.`
      : `server.tls.key: ${path} has no private key in PEM form (-----BEGIN PRIVATE KEY-----).`;
    throw new ConfigError(message, { cause });
  }
}
