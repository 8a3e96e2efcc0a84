import { createInterface } from "node:readline/promises";
import { ConfigError } from "../config/validate.js";
import type { LocalizedText } from "../i18n/text.js";
import { printLine, translate } from "./print.js";

export type Confirmation = {
  /** What to know before the answer. */
  lines: readonly LocalizedText[];
  question: LocalizedText;
  /** Why it fails where nobody can answer. */
  needsTerminal: LocalizedText;
};

/** Asks on the terminal; only `y` and `yes` agree. Throws ConfigError where there is no terminal. */
export async function confirm({ lines, question, needsTerminal }: Confirmation): Promise<boolean> {
  if (!process.stdin.isTTY) throw new ConfigError(needsTerminal);
  for (const line of lines) printLine(line);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(translate(question))).trim());
  } finally {
    terminal.close();
  }
}
