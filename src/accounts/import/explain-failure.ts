import { formatTimeWithDistance } from "../../lib/relative-time.js";
import type { ClassifiedTokens } from "./classify-tokens.js";
import { detectPasteFormat, tokenLocationHelp } from "./paste-format.js";
import type { KimiToken } from "./token-owner.js";

/** The explanation for a paste of more than `limits.pasted` bytes. */
export const tooLargeMessage =
  "This is larger than 64 MB. Export a HAR of one page load only, or take the tokens themselves. " +
  tokenLocationHelp;

/** Texts that are commonly mistaken for a login. The first match counts. */
const commonMistakes: readonly [pattern: RegExp, reason: string][] = [
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

/**
 * A text for the user: why the paste contains no usable login, and what to do. Quotes nothing from the paste. Tokens of
 * Kimi's among `found` have expired.
 */
export function explainFailure(
  pasted: string,
  found: Pick<ClassifiedTokens, "kimi" | "truncated" | "foreign">,
  now: number,
): string {
  const [truncatedToken, expiredToken, foreignToken] = [found.truncated[0], found.kimi[0], found.foreign[0]];
  if (truncatedToken) {
    return `This token is not whole: ${truncatedToken.missingPart} is missing. Double-click the value to select all of it, and copy again.`;
  }
  if (expiredToken) return `${explainExpiry(expiredToken, now)} ${tokenLocationHelp}`;
  if (foreignToken)
    return `This token belongs to ${foreignToken.owner}; it is no login of Kimi's web chat. ${tokenLocationHelp}`;
  const format = detectPasteFormat(pasted);
  const mistake = commonMistakes.find(([pattern]) => pattern.test(pasted))?.[1];
  return `${mistake ?? `This looks like ${format.name}. ${format.advice}`} ${tokenLocationHelp}`;
}

function explainExpiry({ kind, isLegacy, expiresAt }: KimiToken, now: number): string {
  const isShortLived = kind === "access" && !isLegacy;
  const advice = isShortLived ? " Such tokens live 15 minutes: take the refresh token as well." : "";
  return `This ${kind} token expired ${formatTimeWithDistance(expiresAt, now)}.${advice}`;
}
