import { errorCode } from "../lib/error-code.js";
import { toTerminalLine } from "../lib/terminal-text.js";

/** Writes a line to standard output, without control characters of the texts in it. */
export function printLine(line: string): void {
  process.stdout.write(`${toTerminalLine(line)}\n`);
}

/** Writes a line to standard error, as `printLine`, with the program's name. */
export function printError(message: string): void {
  process.stderr.write(`moonbridge: ${toTerminalLine(message)}\n`);
}

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
