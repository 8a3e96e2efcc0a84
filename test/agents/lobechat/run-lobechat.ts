import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiKey, type Gateway } from "../../gateway.js";
import { installed } from "../agent.js";
import { type DriverLine, runDriver } from "../run-driver.js";

/** LobeChat's kinds of providers: `openai` is also that of every service that a person adds. */
export type Provider = "openai" | "moonshot";

/** Compiles LobeChat's model runtime with its driver into one file, and returns its path. */
export function buildLobeChat(): string {
  const file = join(mkdtempSync(join(tmpdir(), "lobechat-")), "driver.cjs");
  execFileSync(installed("@esbuild/linux-x64/bin/esbuild"), [
    join(import.meta.dirname, "driver.mjs"),
    "--bundle",
    "--platform=node",
    "--format=cjs",
    `--outfile=${file}`,
    `--alias:@=${installed("@lobehub/chat/src")}`,
    `--alias:@google/genai=${join(import.meta.dirname, "google-genai.mjs")}`,
    // For pictures that LobeChat's server fetches itself, which is off.
    "--external:ssrf-safe-fetch",
    "--log-level=error",
  ]);
  return file;
}

/** What LobeChat's runtime yields for a call. `fields` of a chat: search, tools and the like. */
export function callLobeChat(
  driver: string,
  { url }: Pick<Gateway, "url">,
  call: { provider: Provider; method: "chat" | "models" | "generateObject"; payload?: object; key?: string },
): Promise<DriverLine[]> {
  const { key = apiKey, ...rest } = call;
  return runDriver(driver, { baseURL: `${url}/v1`, apiKey: key, ...rest });
}
