import { limits } from "../../core/limits.js";
import { decodeJwtPart } from "../../core/token.js";

/** Distinct tokens in order of appearance, and tokens of which only a part was found. */
export type FoundTokens = { tokens: string[]; truncated: TruncatedToken[] };

/** A token that was not copied completely: its remaining text and which part is missing. */
export type TruncatedToken = { fragment: string; missingPart: "its end" | "its middle" };

/** The beginning of every JWT: base64url of `{"`. */
const jwtPrefix = "eyJ";
const maxHeaderLength = 1_024;
/** Occurrences of the prefix that are tried as the start of a header, since `eyJ` may also appear right before it. */
const maxHeaderCandidates = 4;

/** Characters of a signature by algorithm (`alg` of the header); those of RSA depend on the key. */
const signatureLengths: Record<string, number> = {
  HS256: 43,
  HS384: 64,
  HS512: 86,
  ES256: 86,
  ES384: 128,
  ES512: 176,
  EdDSA: 86,
};

/** What terminals, mail programs and JSON strings insert when they wrap a long token. */
const lineWrapping = /\\[nrt]|\\(?=\s)|[\s\u00ad\u200b-\u200d\u2060\ufeff]+/g;

/**
 * Finds JWTs by their shape in any surrounding text: quotes, JSON, escapes, shell or browser syntax. A token that is
 * wrapped over lines is joined if its algorithm determines its length. Runs in time linear in the length of the text.
 */
export function findTokens(text: string): FoundTokens {
  const { tokens, truncated } = scan(text, false);
  if (text.length > limits.pastedByHand) return { tokens, truncated };
  const joined = scan(text.replace(lineWrapping, ""), true).tokens;
  const all = [...new Set([...tokens, ...joined])];
  return {
    tokens: all,
    truncated: truncated.filter(({ fragment }) => !all.some((token) => token.startsWith(fragment))),
  };
}

function scan(text: string, requiresKnownLength: boolean): FoundTokens {
  const tokens = new Set<string>();
  const truncated: TruncatedToken[] = [];
  let position = text.indexOf(jwtPrefix);
  let candidates = 0;
  while (position !== -1) {
    const dot = endOfBase64Run(text, position);
    const isCandidate = text[dot] === "." && ++candidates <= limits.pastedTokens;
    const header = isCandidate ? findHeader(text, position, dot) : undefined;
    if (!header) {
      position = text.indexOf(jwtPrefix, dot);
      continue;
    }
    const payloadEnd = endOfBase64Run(text, dot + 1);
    const signatureStart = text[payloadEnd] === "." ? payloadEnd + 1 : payloadEnd;
    const signatureEnd = endOfBase64Run(text, signatureStart);
    const length = signatureLengths[header.algorithm];
    // Characters after a complete signature do not belong to the token.
    const tokenEnd = length === undefined ? signatureEnd : Math.min(signatureEnd, signatureStart + length);
    const isReadable = isReadablePayload(text.slice(dot + 1, payloadEnd));
    const isWhole = isReadable && tokenEnd - signatureStart >= (length ?? 1);
    if (!isWhole) {
      const isContinued =
        (!isReadable && signatureEnd > signatureStart) || /[.…]/.test(text[signatureEnd] ?? "");
      truncated.push({
        fragment: text.slice(header.start, signatureEnd),
        missingPart: isContinued ? "its middle" : "its end",
      });
    } else if (length !== undefined || !requiresKnownLength) tokens.add(text.slice(header.start, tokenEnd));
    position = text.indexOf(jwtPrefix, isWhole ? tokenEnd : dot);
  }
  return { tokens: [...tokens], truncated };
}

/** End (exclusive) of the run of base64url characters at `start`. */
function endOfBase64Run(text: string, start: number): number {
  const run = /[\w-]*/y;
  run.lastIndex = start;
  run.test(text);
  return run.lastIndex;
}

/** The JWT header that ends at `dot`; other characters may directly precede it, such as the `20` of `Bearer%20`. */
function findHeader(
  text: string,
  from: number,
  dot: number,
): { start: number; algorithm: string } | undefined {
  const windowStart = Math.max(from, dot - maxHeaderLength);
  const head = text.slice(windowStart, dot);
  let offset = head.indexOf(jwtPrefix);
  for (let tries = 0; offset !== -1 && tries < maxHeaderCandidates; tries++) {
    const header = decodeJwtPart(head.slice(offset));
    // An encrypted token (JWE) has five parts and no readable claims; Kimi's tokens are signed.
    if (typeof header?.alg === "string" && header.enc === undefined)
      return { start: windowStart + offset, algorithm: header.alg };
    offset = head.indexOf(jwtPrefix, offset + 1);
  }
  return undefined;
}

function isReadablePayload(part: string): boolean {
  return part.length <= limits.token && decodeJwtPart(part) !== undefined;
}
