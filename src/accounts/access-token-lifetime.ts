import { limits } from "../core/limits.js";
import { ClockSkew } from "./clock-skew.js";

/**
 * Fraction of its lifetime after which an access token is refreshed before it expires, and the jitter of that fraction.
 */
const refreshFraction = 0.8;
const refreshJitter = 0.05;
/** Before this fraction of a token's lifetime has passed, a new token would hardly live longer. */
const minimumRefreshFraction = 1 / 3;

/** How much is left of the access tokens of an account, by their claims and by what Kimi has said of them. */
export class AccessTokenLifetime {
  readonly #clockSkew = new ClockSkew();
  #refreshAtFraction = nextRefreshFraction();
  /** When this process last refreshed, in milliseconds since the epoch. */
  #refreshedAt = 0;
  /** A token that Kimi rejected although its claims call it valid. */
  #rejected: string | undefined;

  /** Derives the skew of the clocks from a token that Kimi issued at `issuedAtLocally`, by this machine's clock. */
  calibrate(token: string | undefined, issuedAtLocally: number): void {
    this.#clockSkew.calibrate(token, issuedAtLocally);
  }

  /** Call when a refresh has succeeded. */
  recordRefresh(): void {
    this.#refreshedAt = Date.now();
    this.#refreshAtFraction = nextRefreshFraction();
  }

  /** Call when Kimi has rejected this token. */
  recordRejection(token: string): void {
    this.#rejected = token;
  }

  /** Prevents a second refresh right after the first, even if the clocks or claims are wrong. */
  get isJustRefreshed(): boolean {
    return Date.now() - this.#refreshedAt < limits.refreshSpacing;
  }

  /** Elapsed fraction of a token's lifetime; 1 or more if it cannot be used. */
  elapsedFraction(token: string | undefined): number {
    if (token === undefined || token === this.#rejected) return 1;
    return this.isJustRefreshed ? 0 : this.#clockSkew.elapsedFraction(token);
  }

  /** Whether so much of the lifetime has passed that the token is refreshed ahead of its expiry. */
  isRefreshDue(token: string | undefined): boolean {
    return this.elapsedFraction(token) >= this.#refreshAtFraction;
  }

  /** Whether a token ends within this time, and a new one would live longer. */
  endsWithin(milliseconds: number, token: string): boolean {
    const expiresAt = this.expiresAt(token) ?? Number.POSITIVE_INFINITY;
    return expiresAt - Date.now() < milliseconds && this.elapsedFraction(token) >= minimumRefreshFraction;
  }

  /** When a token expires, by this machine's clock, in milliseconds since the epoch. */
  expiresAt(token: string): number | undefined {
    return this.#clockSkew.expiresAt(token);
  }
}

/** With jitter, so that processes and accounts do not all refresh at once. */
function nextRefreshFraction(): number {
  return refreshFraction + refreshJitter * (Math.random() - 0.5);
}
