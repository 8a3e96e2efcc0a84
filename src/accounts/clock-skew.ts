import { type Claims, decodeClaims } from "../core/token.js";

/** Kimi's clock, as far as its tokens tell it: they speak of its time, and this machine's may be minutes off. */
export class KimiClock {
  /** Milliseconds that Kimi's clock is ahead of ours. */
  #ahead = 0;
  /** What the token says that was asked for last: it is read once, not for each request. */
  #read: { token: string; claims: Claims } | undefined;

  /** Sets the clock by a token that Kimi made at this moment of ours. */
  setBy(token: string | undefined, madeAt: number): void {
    const { issuedAt } = this.#claims(token ?? "");
    if (issuedAt !== undefined) this.#ahead = issuedAt - madeAt;
  }

  /** How much of its life a token has spent: 0 for one that does not say, 1 for one that has expired. */
  spentShare(token: string): number {
    const { issuedAt, expiresAt } = this.#claims(token);
    if (expiresAt === undefined) return 0;
    const now = Date.now() + this.#ahead;
    if (now >= expiresAt) return 1;
    return issuedAt === undefined ? 0 : Math.max(0, (now - issuedAt) / (expiresAt - issuedAt));
  }

  /** When a token expires, by our clock. */
  expiry(token: string): number | undefined {
    const { expiresAt } = this.#claims(token);
    return expiresAt === undefined ? undefined : expiresAt - this.#ahead;
  }

  #claims(token: string): Claims {
    if (this.#read?.token !== token) this.#read = { token, claims: decodeClaims(token) };
    return this.#read.claims;
  }
}
