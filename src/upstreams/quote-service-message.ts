import { toTerminalLine } from "../lib/terminal-text.js";

/** Words in an error message at which one-api disables a channel permanently (clients.md §0.10). */
const channelDisablingWords =
  /credit|balance|permission denied|not allowed|not authorized|api key|欠费|到期/i;

/** Organisations and keys, which a service names in its error messages (moonshot-platform.md A.15). */
const identifiers = /(?:\borg-[\w-]+)?\s*<[^<>\s]{1,80}>|\b(?:org|ak|sk)-[\w-]{4,}|\bbearer\s+\S+/gi;

const maxQuoteLength = 300;

/**
 * The service's own error message, redacted and shortened, to append to ours. Empty if there is none, or if clients
 * would misread it.
 */
export function quoteServiceMessage(service: string, message: string | undefined): string {
  const text = toTerminalLine((message ?? "").replace(/\s+/g, " "))
    .replace(identifiers, "…")
    .trim();
  if (text === "" || channelDisablingWords.test(text)) return "";
  return ` ${service} says: “${text.length > maxQuoteLength ? `${text.slice(0, maxQuoteLength)}…` : text}”`;
}
