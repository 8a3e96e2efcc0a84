import { toKeySettings } from "../../config/key-schema.js";
import { isLoopback, keylessLoopbackNotice } from "../../config/listen-address.js";
import type { Config } from "../../config/schema.js";
import { hasExpired, minimumUnguessableLength } from "../../core/api-key.js";
import { limits } from "../../core/limits.js";
import type { KeyStore } from "../../core/store.js";
import type { Finding } from "./finding.js";

const what = "keys";

/** Keys from sample configurations, and common guesses. */
const samplePattern =
  /^(sk-?)?(\d{0,15}|(.)\3*|[x.…]*|your[-_ ].*|(token|key|secret|password|change-?me|test|example)\d*)$/i;

/** Counts the API keys, reports expired and weak ones, and whether some programs need none. */
export async function checkKeys(
  config: Pick<Config, "keys" | "oauth" | "server">,
  store: KeyStore | undefined,
): Promise<Finding[]> {
  const findings = await checkEachKey(config, store);
  if (!config.server.keylessLoopback) return findings;
  return [...findings, { what, state: "ok", detail: keylessLoopbackNotice }];
}

async function checkEachKey(
  { keys, oauth, server }: Pick<Config, "keys" | "oauth" | "server">,
  store: KeyStore | undefined,
): Promise<Finding[]> {
  const stored = (await store?.listKeys()) ?? [];
  const all = [...keys.map((key) => ({ name: key.name, settings: toKeySettings(key) })), ...stored];
  if (all.length === 0) return [noKeysFinding(server.host, oauth !== undefined)];
  const admins = all.filter(({ settings }) => settings.scopes.includes("admin")).length;
  const detail =
    `${keys.length} in the config, ${stored.length} in the store; ` +
    (admins > 0
      ? `${admins} with the scope admin`
      : "none with the scope admin, which chatting does not need");
  const expired = all.filter(({ settings }) => hasExpired(settings));
  const minLength = isLoopback(server.host) ? limits.doctorKeyLength : minimumUnguessableLength;
  const weak = keys.filter(
    ({ key }) => !/^sha256:/i.test(key) && (key.length < minLength || samplePattern.test(key)),
  );
  return [
    { what, state: "ok", detail },
    ...expired.map(({ name }): Finding => {
      const remedy = `Make another with “moonbridge keys add”; remove this one.`;
      return { what, state: "warn", detail: `“${name}” has expired and opens nothing`, remedy };
    }),
    ...weak.map(({ name }): Finding => {
      const remedy = `Take one of ${minimumUnguessableLength} characters or more: “moonbridge keys add” makes one.`;
      return {
        what,
        state: "warn",
        detail: `“${name}” is short or as in a sample, and can be guessed`,
        remedy,
      };
    }),
  ];
}

function noKeysFinding(host: string, hasIssuer: boolean): Finding {
  if (hasIssuer)
    return { what, state: "ok", detail: "none; tokens of the issuer in the config open this server" };
  if (isLoopback(host))
    return { what, state: "ok", detail: "none yet; the first start makes one and prints it" };
  return {
    what,
    state: "fail",
    detail: `none, and Moonbridge does not listen on ${host} without one`,
    remedy: "Make one with “moonbridge keys add”, or set MOONBRIDGE_TOKEN to one.",
  };
}
