import type { Config } from "../../config/schema.js";
import { isNodeSupported, minimumNodeVersion } from "../../lib/node-version.js";
import { version } from "../../lib/version.js";
import type { Finding } from "./finding.js";

/** Checks the version of Node.js against `minimumNodeVersion`. */
export function checkNode(nodeVersion: string = process.versions.node): Finding {
  const what = "node";
  const detail = `Node.js ${nodeVersion} on ${process.platform} ${process.arch}; Moonbridge ${version}`;
  if (isNodeSupported(nodeVersion)) return { what, state: "ok", detail };
  return { what, state: "fail", detail, remedy: `Install Node.js ${minimumNodeVersion.join(".")} or newer.` };
}

/** Reports which configuration file is used, its upstreams and its warnings. */
export function checkConfig({
  configFile,
  upstreams,
  warnings,
}: Pick<Config, "configFile" | "upstreams" | "warnings">): Finding[] {
  const what = "config";
  const upstreamNames =
    upstreams.length === 0 ? "no upstream" : `upstreams: ${upstreams.map(({ name }) => name).join(", ")}`;
  const file =
    configFile.kind === "none"
      ? `there is no ${configFile.searched.join(" or ")}; the defaults and the environment count`
      : configFile.path;
  return [
    { what, state: "ok", detail: `${file} (${upstreamNames})` },
    ...warnings.map((detail): Finding => ({ what, state: "warn", detail })),
  ];
}
