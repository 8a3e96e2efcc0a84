import { createReadStream } from "node:fs";
import type { ReadStream } from "node:tty";
import { ConfigError } from "../config/validate.js";
import { limits } from "../core/limits.js";
import { loginMessages } from "../i18n/login-messages.js";
import { translate } from "./print.js";

const [ctrlC, ctrlD, backspace] = ["\u0003", "\u0004", "\u007f"];

/**
 * Reads the login to import: from `file` (`-` is standard input), else from a pipe, else pasted into the terminal
 * without echo. Undefined after Ctrl+C. Throws ConfigError for a file that cannot be read.
 */
export async function readPaste(file: string | undefined): Promise<string | undefined> {
  if (file !== undefined && file !== "-") return readFile(file);
  if (file === undefined && process.stdin.isTTY) return promptFor(process.stdin);
  return readAll(process.stdin);
}

async function readFile(path: string): Promise<string> {
  try {
    return await readAll(createReadStream(path));
  } catch (cause) {
    // The path is not quoted: it may be a token that was passed by mistake.
    throw new ConfigError(loginMessages.unreadableFile, { cause });
  }
}

/** Reads up to one chunk past `limits.pasted`, so that the importer can refuse a longer paste. */
async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limits.pasted) break;
  }
  return decode(Buffer.concat(chunks));
}

/** UTF-8, or UTF-16 where a byte order mark says so, as Windows programs write it. */
function decode(bytes: Buffer): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** Disables the terminal's echo before the instructions are printed, and restores it at the end. */
async function promptFor(terminal: ReadStream): Promise<string | undefined> {
  terminal.setRawMode(true);
  process.stdout.write(translate(loginMessages.instructions));
  try {
    return await readUntilEmptyLine(terminal);
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
  }
}

/** Reads until Ctrl+D or an empty line that nothing follows; an empty line inside a paste is followed at once. */
function readUntilEmptyLine(terminal: ReadStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    let quietTimer: NodeJS.Timeout | undefined;
    let finalCheck: NodeJS.Immediate | undefined;
    const cancelEnd = () => {
      clearTimeout(quietTimer);
      clearImmediate(finalCheck);
    };
    // On a busy machine the timer may fire while input is pending; setImmediate lets that be read first.
    const waitForQuiet = () => {
      quietTimer = setTimeout(() => {
        finalCheck = setImmediate(end, text);
      }, limits.pasteIdle);
    };
    const end = (result: string | undefined) => {
      cancelEnd();
      terminal.off("data", onData);
      resolve(result);
    };
    const onData = (keys: string) => {
      cancelEnd();
      if (keys.includes(ctrlC)) return end(undefined);
      const [before = "", after] = keys.split(ctrlD);
      text = before === backspace ? text.slice(0, -1) : text + before;
      if (after !== undefined || text.length > limits.pasted) return end(text);
      const tail = text.slice(-80).replaceAll("\r\n", "\n");
      if (/(^|[\r\n])[ \t]*[\r\n]$/.test(tail)) waitForQuiet();
    };
    terminal.setEncoding("utf8").on("data", onData);
    terminal.once("end", () => end(text));
    terminal.resume();
  });
}
