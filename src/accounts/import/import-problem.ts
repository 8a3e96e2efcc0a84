import { formatTimeWithDistance } from "../../lib/relative-time.js";
import type { Broken } from "./find-tokens.js";
import { formatOf, whereTokensAre } from "./formats.js";
import type { ForeignToken, KimiToken } from "./token-owner.js";

type Leftovers = {
  /** The newest first. */
  expired: readonly KimiToken[];
  broken: readonly Broken[];
  foreign: readonly ForeignToken[];
};

export const tooLarge =
  "This is larger than 64 MB. Export a HAR of one page load only, or take the tokens themselves. " +
  whereTokensAre;

/** Things that people take for a login, by how they look. The first that fits counts. */
const mistaken: readonly [looks: RegExp, reason: string][] = [
  [/^\s*$/, "Nothing was pasted."],
  [
    /^\s*(?:bearer\s+)?eyJ/i,
    "This is only a part of a token, or a token of another service. Double-click the value to select all of it.",
  ],
  [/\bya29\./, "This token belongs to Google; it is no login of Kimi's web chat."],
  [
    /\bsk-moonbridge-/,
    "This is a key of Moonbridge's own, for the programs that use it; the login is another thing.",
  ],
  [
    /\bsk-(?:proj|svcacct|ant|or)-/,
    "This is a key of another vendor's platform, not a login of Kimi's web chat.",
  ],
  [
    /\bsk-[\w-]{16}/,
    "This is a key of Kimi's platform (sk-…), not a login of the web chat. It belongs into the config, in an upstream " +
      'of "kind": "openai".',
  ],
];

/** Why there is nothing to log in with, and what to do about it. Quotes nothing of the paste. */
export function problemOf(pasted: string, { expired, broken, foreign }: Leftovers, now: number): string {
  const [cut, old, other] = [broken[0], expired[0], foreign[0]];
  if (cut) {
    return `This token is not whole: ${cut.lacks} is missing. Double-click the value to select all of it, and copy again.`;
  }
  if (old) return `${reasonOf(old, now)} ${whereTokensAre}`;
  if (other)
    return `This token belongs to ${other.owner}; it is no login of Kimi's web chat. ${whereTokensAre}`;
  const format = formatOf(pasted);
  const mistake = mistaken.find(([looks]) => looks.test(pasted))?.[1];
  return `${mistake ?? `This looks like ${format.name}. ${format.advice}`} ${whereTokensAre}`;
}

function reasonOf({ kind, isOld, expiresAt }: KimiToken, now: number): string {
  const isShort = kind === "access" && !isOld;
  const advice = isShort ? " Such tokens live 15 minutes: take the refresh token as well." : "";
  return `This ${kind} token expired ${formatTimeWithDistance(expiresAt, now)}.${advice}`;
}
