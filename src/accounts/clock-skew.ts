import { type Claims, decodeClaims } from "../core/token.js";

/** Corrects the times in Kimi's tokens, which follow Kimi's clock; this machine's clock may be minutes off. */
export class ClockSkew {
  /** Milliseconds that Kimi's clock is ahead of this machine's. */
  #aheadMs = 0;
  /** Claims of the last token, so that it is not decoded for each request. */
  #decoded: { token: string; claims: Claims } | undefined;

  /** Derives the skew from a token that Kimi issued at `issuedAtLocally`, by this machine's clock. */
  calibrate(token: string | undefined, issuedAtLocally: number): void {
    const { issuedAt } = this.#claims(token ?? "");
    if (issuedAt !== undefined) this.#aheadMs = issuedAt - issuedAtLocally;
  }

  /** Elapsed fraction of a token's lifetime: 0 without an expiry claim, 1 if it has expired. */
  elapsedFraction(token: string): number {
    const { issuedAt, expiresAt } = this.#claims(token);
    if (expiresAt === undefined) return 0;
    const now = Date.now() + this.#aheadMs;
    if (now >= expiresAt) return 1;
    return issuedAt === undefined ? 0 : Math.max(0, (now - issuedAt) / (expiresAt - issuedAt));
  }

  /** When a token expires, by this machine's clock, in milliseconds since the epoch. */
  expiresAt(token: string): number | undefined {
    const { expiresAt } = this.#claims(token);
    return expiresAt === undefined ? undefined : expiresAt - this.#aheadMs;
  }

  #claims(token: string): Claims {
    if (this.#decoded?.token !== token) this.#decoded = { token, claims: decodeClaims(token) };
    return this.#decoded.claims;
  }
}
