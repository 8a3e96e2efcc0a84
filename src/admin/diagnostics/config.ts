import { existsSync } from "node:fs";
import { checkEnvironment } from "../../config/check-environment.js";
import { type CommandLineOptions, locateConfigFile } from "../../config/load.js";
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
export function checkConfig({ upstreams, warnings }: Config, commandLine: CommandLineOptions): Finding[] {
  const what = "config";
  const { path } = locateConfigFile(commandLine, checkEnvironment(process.env).variables);
  const upstreamNames =
    upstreams.length === 0 ? "no upstream" : `upstreams: ${upstreams.map(({ name }) => name).join(", ")}`;
  const file = existsSync(path) ? path : `there is no ${path}; the defaults and the environment count`;
  return [
    { what, state: "ok", detail: `${file} (${upstreamNames})` },
    ...warnings.map((detail): Finding => ({ what, state: "warn", detail })),
  ];
}
