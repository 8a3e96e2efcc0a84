import { limits } from "../../core/limits.js";
import { findTokens, type TruncatedToken } from "./find-tokens.js";
import { type ForeignToken, identifyTokenOwner, type KimiToken } from "./token-owner.js";

/** The tokens in a text, by whom they are for. */
export type ClassifiedTokens = {
  /** Newest first; expired ones too. */
  kimi: readonly KimiToken[];
  foreign: readonly ForeignToken[];
  truncated: readonly TruncatedToken[];
  /** The value of a field named `refresh_token` that is no JWT. */
  opaqueRefreshToken: string | undefined;
};

/** Finds the tokens in any text, and whom they are for. Runs in time linear in the length of the text. */
export function classifyTokens(text: string): ClassifiedTokens {
  const { tokens, truncated } = findTokens(text);
  const kimi: KimiToken[] = [];
  const foreign: ForeignToken[] = [];
  for (const token of tokens.map(identifyTokenOwner)) {
    if ("owner" in token) foreign.push(token);
    else kimi.push(token);
  }
  return {
    kimi: kimi.sort((a, b) => b.issuedAt - a.issuedAt),
    foreign,
    truncated,
    // Where all other tokens are another service's, so is this one, and Kimi must not get it.
    opaqueRefreshToken: kimi.length > 0 || foreign.length === 0 ? findOpaqueRefreshToken(text) : undefined,
  };
}

/** `refresh_token` with its value: in JSON, escaped or not, as a row of Local storage, or in a cookie. */
const refreshTokenField =
  /refresh_?token(?:\\{0,4}["'])?\s{0,8}[:=,\t]\s{0,8}(?:(?:\\{0,4}["'])?value(?:\\{0,4}["'])?\s{0,8}:\s{0,8})?(?:\\{0,4}["'])?(?:bearer\s{1,8})?([\w.~+/-]{20,})/gi;

function findOpaqueRefreshToken(text: string): string | undefined {
  if (text.length > limits.pastedByHand) return undefined;
  for (const [, value = ""] of text.matchAll(refreshTokenField)) if (isOpaqueToken(value)) return value;
  return undefined;
}

/** Whether a text can be a token that is no JWT, rather than a word, a key (`sk-…`), one of Google's or a part of a JWT. */
export function isOpaqueToken(text: string): boolean {
  return (
    /^(?!eyJ|sk-|ya29\.|1\/\/)[\w.~+/-]{20,}=*$/.test(text) && /\d/.test(text) && text.length <= limits.token
  );
}
