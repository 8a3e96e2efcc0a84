import { createReadStream } from "node:fs";
import type { ReadStream } from "node:tty";
import { ConfigError } from "../config/validate.js";
import { limits } from "../core/limits.js";

const [ctrlC, ctrlD, backspace] = ["\u0003", "\u0004", "\u007f"];

const invitation =
  "Paste what you have of Kimi's login: tokens, cookies, Local storage, “copy as cURL”, a HAR file.\n" +
  "Nothing of it is shown. Then press Enter twice, or Ctrl+D; Ctrl+C leaves.\n";

/**
 * What the person gives: the file (`-` for standard input), else what is piped in, else what is pasted into the
 * terminal without an echo. Undefined if they leave. Throws ConfigError for a file that cannot be read.
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
    // The path is not quoted: it may be a token that was given in its place.
    throw new ConfigError("--file: there is no such file, or it cannot be read.", { cause });
  }
}

/** The whole stream, and one byte too much where it is longer than a paste may be. */
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

/** Windows' programs write UTF-16, and say so at the beginning. */
function decode(bytes: Buffer): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** The terminal echoes nothing from before the invitation until this is over. */
async function promptFor(terminal: ReadStream): Promise<string | undefined> {
  terminal.setRawMode(true);
  process.stdout.write(invitation);
  try {
    return await typed(terminal);
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
  }
}

/** Keys until Ctrl+D or an empty line. One inside a paste ends nothing: more follows it at once. */
function typed(terminal: ReadStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    let quiet: NodeJS.Timeout | undefined;
    let last: NodeJS.Immediate | undefined;
    const goOn = () => {
      clearTimeout(quiet);
      clearImmediate(last);
    };
    // A busy machine may run the timer first although keys are waiting: they are read before the immediate.
    const waitForQuiet = () => {
      quiet = setTimeout(() => {
        last = setImmediate(end, text);
      }, limits.pasteQuiet);
    };
    const end = (result: string | undefined) => {
      goOn();
      terminal.off("data", read);
      resolve(result);
    };
    const read = (keys: string) => {
      goOn();
      if (keys.includes(ctrlC)) return end(undefined);
      const [before = "", after] = keys.split(ctrlD);
      text = before === backspace ? text.slice(0, -1) : text + before;
      if (after !== undefined || text.length > limits.pasted) return end(text);
      const tail = text.slice(-80).replaceAll("\r\n", "\n");
      if (/(^|[\r\n])[ \t]*[\r\n]$/.test(tail)) waitForQuiet();
    };
    terminal.setEncoding("utf8").on("data", read);
    terminal.once("end", () => end(text));
    terminal.resume();
  });
}
