import { existsSync } from "node:fs";
import { type CommandLine, configFile } from "../../config/load.js";
import type { Config } from "../../config/schema.js";
import { version } from "../../lib/version.js";
import type { Finding } from "./finding.js";

/** The oldest Node.js that Moonbridge runs on. */
const oldest = [20, 19] as const;

export function checkNode(running: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = running.split(".").map(Number);
  const what = "node";
  const detail = `Node.js ${running} on ${process.platform} ${process.arch}; Moonbridge ${version}`;
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return { what, state: "ok", detail };
  return { what, state: "fail", detail, remedy: `Install Node.js ${oldest.join(".")} or newer.` };
}

/** Which file counts, and what is worth saying about what stands in it. */
export function checkConfig({ upstreams, warnings }: Config, commandLine: CommandLine): Finding[] {
  const what = "config";
  const { path } = configFile(commandLine, process.env);
  const count =
    upstreams.length === 0 ? "no upstream" : `upstreams: ${upstreams.map(({ name }) => name).join(", ")}`;
  const file = existsSync(path) ? path : `there is no ${path}; the defaults and the environment count`;
  return [
    { what, state: "ok", detail: `${file} (${count})` },
    ...warnings.map((detail): Finding => ({ what, state: "warn", detail })),
  ];
}
