import { toKeySettings } from "../../config/key-schema.js";
import { isLoopback } from "../../config/listen-address.js";
import type { Config } from "../../config/schema.js";
import { hasExpired, minimumUnguessableLength } from "../../core/api-key.js";
import { limits } from "../../core/limits.js";
import type { KeyStore } from "../../core/store.js";
import { configMessages } from "../../i18n/config-messages.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import type { Finding } from "./finding.js";

const what = doctorMessages.subjects.keys;

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
  return [...findings, { what, state: "ok", detail: configMessages.keylessLoopback }];
}

async function checkEachKey(
  { keys, oauth, server }: Pick<Config, "keys" | "oauth" | "server">,
  store: KeyStore | undefined,
): Promise<Finding[]> {
  const stored = (await store?.listKeys()) ?? [];
  const all = [...keys.map((key) => ({ name: key.name, settings: toKeySettings(key) })), ...stored];
  if (!store && all.length === 0) return [{ what, state: "warn", detail: doctorMessages.keysUnknown }];
  if (all.length === 0) return [noKeysFinding(server.host, oauth !== undefined)];
  const admins = all.filter(({ settings }) => settings.scopes.includes("admin")).length;
  const detail = doctorMessages.keyCounts(keys.length, stored.length, admins);
  const expired = all.filter(({ settings }) => hasExpired(settings));
  const minLength = isLoopback(server.host) ? limits.doctorKeyLength : minimumUnguessableLength;
  const weak = keys.filter(
    ({ key }) => !/^sha256:/i.test(key) && (key.length < minLength || samplePattern.test(key)),
  );
  return [
    { what, state: "ok", detail },
    ...expired.map(({ name }): Finding => {
      const remedy = doctorMessages.replaceKey;
      return { what, state: "warn", detail: doctorMessages.keyExpired(name), remedy };
    }),
    ...weak.map(({ name }): Finding => {
      const remedy = doctorMessages.takeLongerKey(minimumUnguessableLength);
      return {
        what,
        state: "warn",
        detail: doctorMessages.keyGuessable(name),
        remedy,
      };
    }),
  ];
}

function noKeysFinding(host: string, hasIssuer: boolean): Finding {
  if (hasIssuer) return { what, state: "ok", detail: doctorMessages.noKeysButIssuer };
  if (isLoopback(host)) return { what, state: "ok", detail: doctorMessages.noKeysYet };
  return {
    what,
    state: "fail",
    detail: doctorMessages.noKeysForHost(host),
    remedy: doctorMessages.makeKey,
  };
}
