import { getLocation, type ParseError, printParseErrorCode } from "jsonc-parser";
import { configMessages } from "../i18n/config-messages.js";
import type { LocalizedText } from "../i18n/text.js";
import { keyPath } from "../lib/json.js";
import { ConfigError } from "./validate.js";

/**
 * Decodes a config file, without its byte order mark. Throws ConfigError unless it is UTF-8: Windows' tools also write
 * UTF-16 and the code page of the system.
 */
export function decodeFile(bytes: Buffer, path: string): string {
  const isUtf16 = /^(\xff\xfe|\xfe\xff)/.test(bytes.toString("latin1", 0, 2)) || bytes.includes(0);
  if (isUtf16) throw new ConfigError(configMessages.fileIsUtf16(path));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError(configMessages.fileIsNotUtf8(path));
  }
}

/** Characters that word processors and Chinese input methods write for those of JSON. */
const jsonCharacters: Readonly<Record<string, string>> = {
  ...Object.fromEntries([..."“”„‟‘’‚‛«»＂＇"].map((quote) => [quote, '"'])),
  ...Object.fromEntries([..."，：｛｝［］"].map((wide, index) => [wide, ",:{}[]"[index] ?? ""])),
};

/** Where and why a text is not JSON. */
export function describeParseError(text: string, { error, offset }: ParseError): LocalizedText {
  const line = text.slice(0, offset).split("\n").length;
  const found = findForeignCharacter(text.split("\n")[line - 1] ?? "");
  if (found) return configMessages.foreignCharacter(line, found, jsonCharacters[found] ?? "");
  const code = printParseErrorCode(error);
  if (code !== "UnexpectedEndOfString") return configMessages.parseError(line, code);
  const setting = keyPath(
    getLocation(text, offset)
      .path.map((key) => `/${key}`)
      .join(""),
  );
  return configMessages.openQuote(line, setting);
}

/** The first of these characters outside of texts; or a quote in one, which may be meant to end it. */
function findForeignCharacter(line: string): string | undefined {
  const withoutTexts = line.replace(/"(?:[^"\\]|\\.)*"/g, "");
  const isForeign = (character: string) => Object.hasOwn(jsonCharacters, character);
  return (
    [...withoutTexts].find(isForeign) ?? [...line].find((character) => jsonCharacters[character] === '"')
  );
}
