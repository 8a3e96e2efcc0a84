import { styleText } from "node:util";
import { languageOfProcess } from "../i18n/language.js";
import type { LocalizedText, Message } from "../i18n/text.js";
import { errorCode } from "../lib/error-code.js";
import { toTerminalLine } from "../lib/terminal-text.js";

/** The language of everything that the command line prints. */
export const language = languageOfProcess();

/** Meanings, each with its own colour. Colours are written to a terminal only, and follow NO_COLOR and FORCE_COLOR. */
const styles = {
  title: "bold",
  label: "dim",
  value: "cyan",
  good: "green",
  attention: "yellow",
  bad: "red",
} as const;

/** A part of a line, with its meaning. */
export type Span = { text: string | LocalizedText; style: keyof typeof styles };
type Part = string | LocalizedText | Span;

/** Writes a line to standard output in the language of the process, without control characters of the texts in it. */
export function printLine(...parts: readonly Part[]): void {
  process.stdout.write(`${parts.map((part) => render(part, process.stdout)).join("")}\n`);
}

/** Writes a line to standard error, as `printLine`, with the program's name. */
export function printError(message: Message): void {
  process.stderr.write(`moonbridge: ${render(message, process.stderr)}\n`);
}

export function span(style: Span["style"], text: string | LocalizedText): Span {
  return { style, text };
}

/** The text in the language of the process. */
export function translate(text: string | LocalizedText): string {
  return typeof text === "string" ? text : text[language];
}

function render(part: Part, stream: NodeJS.WriteStream): string {
  if (typeof part === "string" || !("style" in part)) return toTerminalLine(translate(part));
  return styleText(styles[part.style], toTerminalLine(translate(part.text)), { stream });
}

/** The text with spaces up to a width in columns of a terminal, where a Chinese character takes two. */
export function padColumns(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - columnsOf(text)));
}

export function columnsOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (wideCharacter.test(character) ? 2 : 1), 0);
}

const wideCharacter = /[\p{Script=Han}\u3000-\u303f\uff00-\uff60]/u;

/**
 * Lets the program go on when nobody reads its output any more (`| head`, a closed terminal); Node would end it with a
 * stack.
 */
export function ignoreClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (!["EPIPE", "EIO"].includes(errorCode(error) ?? "")) throw error;
    });
  }
}
