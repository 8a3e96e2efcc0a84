import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createConfigTemplate } from "../app/config-template.js";
import { ConfigError } from "../config/validate.js";
import { commandMessages as messages } from "../i18n/command-messages.js";
import { errorCode } from "../lib/error-code.js";
import { language, printLine, span } from "./print.js";

/**
 * `moonbridge init`: writes a config file with every setting commented out, readable by its owner only, since tokens and
 * keys will be in it. Throws ConfigError for a file that exists or cannot be written.
 */
export async function init({ config }: { config?: string }): Promise<void> {
  const path = resolve(config ?? "config.json");
  try {
    await writeFile(path, createConfigTemplate(language), { flag: "wx", mode: 0o600 });
  } catch (cause) {
    const code = errorCode(cause) ?? "";
    throw new ConfigError(code === "EEXIST" ? messages.initExists(path) : messages.initFailed(path, code), {
      cause,
    });
  }
  printLine(span("good", messages.initWritten(path)));
  printLine(messages.initNext(config));
}
