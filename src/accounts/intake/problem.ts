import type { Broken } from "./find.js";
import { formatOf, localStorage } from "./formats.js";
import { when } from "./when.js";
import type { ForeignToken, KimiToken } from "./whose.js";

type Leftovers = {
  /** The newest first. */
  expired: readonly KimiToken[];
  broken: readonly Broken[];
  foreign: readonly ForeignToken[];
};

export const tooLarge =
  "This is larger than 64 MB. Export a HAR of one page load only, or paste the tokens themselves. " +
  `${localStorage}.`;

/** Why there is nothing to log in with, and what to do about it. Quotes nothing of the paste. */
export function problemOf(pasted: string, { expired, broken, foreign }: Leftovers, now: number): string {
  const text = pasted.trim();
  if (text === "") return `Nothing was pasted. ${localStorage}.`;
  const [cut, old, other] = [broken[0], expired[0], foreign[0]];
  if (cut) {
    return `This token is not whole: ${cut.lacks} is missing. Double-click the value to select all of it, and copy again.`;
  }
  if (old) return expiredSentence(old, now);
  if (other) {
    return `This token belongs to ${other.owner}; it is no login of Kimi's web chat. ${localStorage}.`;
  }
  return keySentence(text) ?? `This looks like ${formatOf(pasted).name}. ${formatOf(pasted).advice}`;
}

function expiredSentence({ kind, expiresAt }: KimiToken, now: number): string {
  const lives = kind === "access" ? " Access tokens live 15 minutes: take the refresh token as well." : "";
  return (
    `This ${kind} token expired ${when(expiresAt, now)}.${lives} Open Kimi's site and log in if it asks you ` +
    `to. ${localStorage}.`
  );
}

/** Things that people take for a token. */
function keySentence(text: string): string | undefined {
  const bare = text.replace(/^bearer\s+/i, "");
  if (bare.startsWith("eyJ")) {
    return "This is only the beginning of a token, or a token of another service. Double-click the value to select all of it, and copy again.";
  }
  if (/\bya29\./.test(text))
    return `This token belongs to Google; Kimi's own stand elsewhere. ${localStorage}.`;
  if (/\bsk-moonbridge-/.test(text)) {
    return `This is a key of Moonbridge's own, for the programs that use it. The login is another thing. ${localStorage}.`;
  }
  if (/\bsk-(?:proj|svcacct|ant|or)-/.test(text)) {
    return `This is a key of another vendor's, not a login of Kimi's web chat. ${localStorage}.`;
  }
  if (/\bsk-[\w-]{16}/.test(text)) {
    return (
      'This is a key of Kimi\'s platform (sk-…), not a login of the web chat. It belongs into the config, in an upstream of "kind": "openai". ' +
      `${localStorage}.`
    );
  }
  return undefined;
}
