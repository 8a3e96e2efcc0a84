import type { Config } from "../../config/schema.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import { untranslated } from "../../i18n/text.js";
import { isNodeSupported, minimumNodeVersion } from "../../lib/node-version.js";
import { version } from "../../lib/version.js";
import type { Finding } from "./finding.js";

/** Checks the version of Node.js against `minimumNodeVersion`. */
export function checkNode(nodeVersion: string = process.versions.node): Finding {
  const what = doctorMessages.subjects.node;
  const detail = doctorMessages.versions(nodeVersion, `${process.platform} ${process.arch}`, version);
  if (isNodeSupported(nodeVersion)) return { what, state: "ok", detail };
  return { what, state: "fail", detail, remedy: doctorMessages.installNode(minimumNodeVersion.join(".")) };
}

/** Reports which configuration file is used, its upstreams and its warnings. */
export function checkConfig({
  configFile,
  upstreams,
  warnings,
}: Pick<Config, "configFile" | "upstreams" | "warnings">): Finding[] {
  const what = doctorMessages.subjects.config;
  const upstreamNames =
    upstreams.length === 0
      ? doctorMessages.noUpstream
      : doctorMessages.upstreams(upstreams.map(({ name }) => name).join(", "));
  const file =
    configFile.kind === "none"
      ? doctorMessages.noConfigFile(configFile.searched)
      : untranslated(configFile.path);
  return [
    { what, state: "ok", detail: doctorMessages.configFile(file, upstreamNames) },
    ...warnings.map((detail): Finding => ({ what, state: "warn", detail })),
  ];
}
