import { loginMessages } from "../../i18n/login-messages.js";
import { pasteMessages } from "../../i18n/paste-messages.js";
import { formatTimeWithDistance } from "../../i18n/relative-time.js";
import { joinSentences, type LocalizedText } from "../../i18n/text.js";
import type { ClassifiedTokens } from "./classify-tokens.js";
import { detectPasteFormat } from "./paste-format.js";
import type { KimiToken } from "./token-owner.js";

/** Texts that are commonly mistaken for a login. The first match counts. */
const commonMistakes: readonly [pattern: RegExp, reason: LocalizedText][] = [
  [/^\s*$/, pasteMessages.nothing],
  [/^\s*(?:bearer\s+)?eyJ/i, pasteMessages.partOfToken],
  [/\bya29\./, pasteMessages.foreignToken("Google")],
  [/\bsk-moonbridge-/, pasteMessages.ownKey],
  [/\bsk-(?:proj|svcacct|ant|or)-/, pasteMessages.otherVendorsKey],
  [/\bsk-[\w-]{16}/, pasteMessages.platformKey],
];

/**
 * A text for the user: why the paste contains no usable login, and what to do. Quotes nothing from the paste. Tokens of
 * Kimi's among `found` have expired.
 */
export function explainFailure(
  pasted: string,
  found: Pick<ClassifiedTokens, "kimi" | "truncated" | "foreign">,
  now: number,
): LocalizedText {
  const [truncatedToken, expiredToken, foreignToken] = [found.truncated[0], found.kimi[0], found.foreign[0]];
  if (truncatedToken) return pasteMessages.notWhole(truncatedToken.missingPart);
  if (expiredToken) return joinSentences(...explainExpiry(expiredToken, now), loginMessages.tokenLocation);
  if (foreignToken)
    return joinSentences(pasteMessages.foreignToken(foreignToken.owner), loginMessages.tokenLocation);
  const mistake = commonMistakes.find(([pattern]) => pattern.test(pasted))?.[1];
  const reason = mistake ?? pasteMessages.looksLike(detectPasteFormat(pasted));
  return joinSentences(reason, loginMessages.tokenLocation);
}

function explainExpiry({ kind, isLegacy, expiresAt }: KimiToken, now: number): LocalizedText[] {
  const isShortLived = kind === "access" && !isLegacy;
  const expired = pasteMessages.expired(kind, formatTimeWithDistance(expiresAt, now));
  return isShortLived ? [expired, pasteMessages.shortLived] : [expired];
}
