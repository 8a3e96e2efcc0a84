import { existsSync } from "node:fs";
import { checkEnvironment } from "../../config/check-environment.js";
import { type CommandLineOptions, locateConfigFile } from "../../config/load.js";
import type { Config } from "../../config/schema.js";
import { version } from "../../lib/version.js";
import type { Finding } from "./finding.js";

/** As `engines` in package.json: [major, minor]. */
const minimumNodeVersion = [20, 19] as const;

/** Checks the version of Node.js against `minimumNodeVersion`. */
export function checkNode(nodeVersion: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const what = "node";
  const detail = `Node.js ${nodeVersion} on ${process.platform} ${process.arch}; Moonbridge ${version}`;
  if (major > minimumNodeVersion[0] || (major === minimumNodeVersion[0] && minor >= minimumNodeVersion[1]))
    return { what, state: "ok", detail };
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
