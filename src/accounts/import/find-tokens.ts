import { limits } from "../../core/limits.js";
import { decodeJwtPart } from "../../core/token.js";

/** The tokens that stand in a text, each once, and what has only the beginning of one. */
export type Found = { tokens: string[]; broken: Broken[] };

/** What is left of a token that was not copied whole. */
export type Broken = { rest: string; lacks: "its end" | "its middle" };

/** How every JWT begins: base64url of `{"`. */
const mark = "eyJ";
const longestHeader = 1_024;
/** How many marks are tried as the beginning of a header: `eyJ` can stand in front of one too. */
const mostMarks = 4;

/** Characters that a signature has, by the algorithm of its header; RSA's depend on the key. */
const signatureLengths: Record<string, number> = {
  HS256: 43,
  HS384: 64,
  HS512: 86,
  ES256: 86,
  ES384: 128,
  ES512: 176,
  EdDSA: 86,
};

/** What terminals, mails and JSON strings put inside a token that is too wide for them. */
const wrapping = /\\[nrt]|\\(?=\s)|[\s\u00ad\u200b-\u200d\u2060\ufeff]+/g;

/**
 * Finds JWTs by their own shape, whatever stands around them: quotes, JSON, escapes, a shell's or a browser's syntax.
 * A token that was broken over lines is joined where its algorithm tells how long it is. Takes time linear in the text.
 */
export function findTokens(text: string): Found {
  const { tokens, broken } = scan(text, false);
  if (text.length > limits.pastedByHand) return { tokens, broken };
  const joined = scan(text.replace(wrapping, ""), true).tokens;
  const all = [...new Set([...tokens, ...joined])];
  return { tokens: all, broken: broken.filter(({ rest }) => !all.some((token) => token.startsWith(rest))) };
}

function scan(text: string, needsLength: boolean): Found {
  const tokens = new Set<string>();
  const broken: Broken[] = [];
  let at = text.indexOf(mark);
  let looks = 0;
  while (at !== -1) {
    const dot = endOfRun(text, at);
    const mayBegin = text[dot] === "." && ++looks <= limits.pastedTokens;
    const begin = mayBegin ? beginOfHeader(text, at, dot) : undefined;
    if (!begin) {
      at = text.indexOf(mark, dot);
      continue;
    }
    const payloadEnd = endOfRun(text, dot + 1);
    const signatureBegin = text[payloadEnd] === "." ? payloadEnd + 1 : payloadEnd;
    const signatureEnd = endOfRun(text, signatureBegin);
    const length = signatureLengths[begin.algorithm];
    // What follows a whole signature was glued to it.
    const end = length === undefined ? signatureEnd : Math.min(signatureEnd, signatureBegin + length);
    const readable = isPayload(text.slice(dot + 1, payloadEnd));
    const isWhole = readable && end - signatureBegin >= (length ?? 1);
    if (!isWhole) {
      const goesOn = (!readable && signatureEnd > signatureBegin) || /[.…]/.test(text[signatureEnd] ?? "");
      broken.push({ rest: text.slice(begin.at, signatureEnd), lacks: goesOn ? "its middle" : "its end" });
    } else if (length !== undefined || !needsLength) tokens.add(text.slice(begin.at, end));
    at = text.indexOf(mark, isWhole ? end : dot);
  }
  return { tokens: [...tokens], broken };
}

/** Where the base64url characters end that stand here. */
function endOfRun(text: string, at: number): number {
  const run = /[\w-]*/y;
  run.lastIndex = at;
  run.test(text);
  return run.lastIndex;
}

/** The header that ends at the dot; characters may be glued to its front, as the `20` of `Bearer%20`. */
function beginOfHeader(
  text: string,
  from: number,
  dot: number,
): { at: number; algorithm: string } | undefined {
  const start = Math.max(from, dot - longestHeader);
  const run = text.slice(start, dot);
  let at = run.indexOf(mark);
  for (let tries = 0; at !== -1 && tries < mostMarks; tries++) {
    const header = decodeJwtPart(run.slice(at));
    // An encrypted token has five parts and says nothing; Kimi's are signed.
    if (typeof header?.alg === "string" && header.enc === undefined)
      return { at: start + at, algorithm: header.alg };
    at = run.indexOf(mark, at + 1);
  }
  return undefined;
}

function isPayload(part: string): boolean {
  return part.length <= limits.token && decodeJwtPart(part) !== undefined;
}
