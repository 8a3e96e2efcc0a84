import { createApp } from "../app/create-app.js";
import { loadAppConfig } from "../app/load-config.js";
import { serveMcp } from "../app/serve-mcp.js";
import { commandMessages } from "../i18n/command-messages.js";
import { createLog } from "../observability/log.js";
import { printError } from "./print.js";

type McpOptions = { config?: string; folder?: string[] };

/**
 * `moonbridge mcp`: serves Kimi's tools to the program that started it, over standard input and output, until that closes the
 * input. Standard output has nothing but the protocol; the log and remarks go to standard error.
 */
export async function mcp({ folder = [], ...commandLine }: McpOptions): Promise<void> {
  const config = await loadAppConfig(commandLine, process.env);
  const log = createLog(config.log.level);
  const app = await createApp(config, log);
  try {
    const closed = new Promise<void>((resolve) => {
      process.stdin.once("end", resolve).once("close", resolve);
      process.once("SIGINT", resolve).once("SIGTERM", resolve);
    });
    const connection = await serveMcp(app, { folders: folder, log });
    for (const warning of config.warnings) printError(commandMessages.note(warning));
    if (app.upstreams.current.every(({ upstream }) => upstream.simulated))
      printError("note: no Kimi account is connected: the built-in simulator answers.");
    app.cleanup.sweep();
    await closed;
    await connection.close();
  } finally {
    await app.close();
  }
  log.flush();
  process.exit(0);
}
