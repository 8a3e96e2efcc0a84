import { pasteFormats } from "../../i18n/paste-messages.js";
import type { LocalizedText } from "../../i18n/text.js";

/** The format of a pasted text, and advice for the user if it contains no token of Kimi. */
export type PasteFormat = { name: LocalizedText; advice: LocalizedText };

const inspectedLength = 64 * 1_024;

/** In order of precedence: the first match counts. */
const formats: readonly [pattern: RegExp, format: PasteFormat][] = [
  [/^.{0,1000}?\ufffd|^\s*data:image\//s, pasteFormats.binary],
  [/^\s*<(?:!doctype|html|head|body|\?xml)/i, pasteFormats.webPage],
  [/^\s*\{\s*"log"\s*:/, pasteFormats.har],
  [/^\s*curl(?:\.exe)?\s/i, pasteFormats.curl],
  [/^\s*(?:await\s+)?fetch\s*\(/, pasteFormats.fetch],
  [/^\s*(?:\$session\b|Invoke-(?:WebRequest|RestMethod)\b)/i, pasteFormats.powerShell],
  [/"(?:auth_token|upstreams)"\s*:/, pasteFormats.config],
  [/\b(?:access_token|refresh_token|msh_user_id|volcano-token-info)\b/, pasteFormats.localStorage],
  [/^(?::authority|host|authorization|cookie|user-agent)\s*:\s/im, pasteFormats.headers],
  [/^\s*(?:[\w.-]+=[^;\s]*(?:;|\s*$)|kimi-auth\b)/, pasteFormats.cookies],
  [/^\s*[{[]/, pasteFormats.json],
];

/** Detects the format from the first 64 KB of the text. */
export function detectPasteFormat(pasted: string): PasteFormat {
  const head = pasted.slice(0, inspectedLength);
  return formats.find(([pattern]) => pattern.test(head))?.[1] ?? pasteFormats.plainText;
}
