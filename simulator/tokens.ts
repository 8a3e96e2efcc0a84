import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { ApiError } from "./errors.js";
import { asString, type JsonObject, parseObject } from "./json.js";

/** An access token and the refresh token issued with it. */
export type TokenPair = { accessToken: string; refreshToken: string };

export type IssueOptions = {
  /** The name of the account; each account has separate chats. */
  user?: string;
  /** Lifetime of this access token; tokens from later refreshes have the simulator's default lifetime. */
  accessSeconds?: number;
  /** How long ago this access token was issued; default 0. */
  ageSeconds?: number;
  /** A refresh token that only the legacy endpoint accepts; the account gateway refuses it. */
  legacyOnly?: boolean;
};

/** The account that a token belongs to; the id has the form of Kimi's user ids. */
export type Account = { id: string; name: string };

/** A valid refresh token. `validUntil` is in Unix milliseconds. */
type RefreshTokenRecord = Account & { legacyOnly: boolean; validUntil: number };

const refreshTokenSeconds = 7_776_000;
const maxRefreshTokens = 20_000;

/** Issues, verifies and rotates tokens in JWT form with the claims of generation B (kimi-web.md §2.3). */
export class TokenIssuer {
  readonly #secret = randomBytes(32);
  readonly #accessSeconds: number;
  readonly #graceSeconds: number;
  readonly #acceptsAnyToken: boolean;
  /** Valid refresh tokens by serial number. */
  readonly #refreshTokens = new Map<number, RefreshTokenRecord>();
  #serial = 0;
  #lastExpiredSerial = 0;

  /** With `acceptsAnyToken`, every token belongs to the same account. */
  constructor(accessSeconds: number, graceSeconds: number, acceptsAnyToken = false) {
    this.#accessSeconds = accessSeconds;
    this.#graceSeconds = graceSeconds;
    this.#acceptsAnyToken = acceptsAnyToken;
  }

  /** Issues a pair for the account of this name; default "simulated". */
  issue(options: IssueOptions = {}): TokenPair {
    const name = options.user ?? "simulated";
    const account = { id: accountId(name), name };
    return this.#issuePair(
      account,
      options.legacyOnly ?? false,
      options.accessSeconds ?? this.#accessSeconds,
      options.ageSeconds,
    );
  }

  /** The account of an access token. Throws the ApiError that Kimi would send (kimi-web.md §2.9). */
  authenticate(bearerToken: string | undefined): Account {
    if (!bearerToken) throw loginRequired();
    if (this.#acceptsAnyToken) return defaultAccount;
    const claims = this.#verify(bearerToken);
    if (!claims) throw invalidToken("invalid token");
    if (claims.typ !== "access") throw loginRequired();
    if (claims.exp <= Date.now() / 1_000 || claims.serial <= this.#lastExpiredSerial)
      throw invalidToken("token expired");
    return { id: claims.sub, name: claims.name };
  }

  /** A new pair; undefined for an invalid refresh token. The old one stays valid for the grace period (kimi-web.md §2.3). */
  rotate(refreshToken: string): TokenPair | undefined {
    if (this.#acceptsAnyToken) return this.#issuePair(defaultAccount, false, this.#accessSeconds);
    const found = this.#findRefreshToken(refreshToken);
    if (!found || found.record.legacyOnly) return undefined;
    this.#expireAfterGrace(found.serial, found.record);
    return this.#issuePair(found.record, false, this.#accessSeconds);
  }

  /** The legacy refresh, which accepts the old refresh token until it expires (kimi-web.md §1.2). */
  rotateLegacy(refreshToken: string): TokenPair | undefined {
    if (this.#acceptsAnyToken) return this.#issuePair(defaultAccount, true, this.#accessSeconds);
    const found = this.#findRefreshToken(refreshToken);
    return found && this.#issuePair(found.record, found.record.legacyOnly, this.#accessSeconds);
  }

  /** Marks all access tokens issued so far as expired. */
  expireAccessTokens(): void {
    this.#lastExpiredSerial = this.#serial;
  }

  /** Makes a refresh token invalid; does nothing for an unknown one. */
  revoke(refreshToken: string): void {
    const claims = this.#verify(refreshToken);
    if (claims) this.#refreshTokens.delete(claims.serial);
  }

  #findRefreshToken(refreshToken: string): { serial: number; record: RefreshTokenRecord } | undefined {
    const claims = this.#verify(refreshToken);
    const record = claims?.typ === "refresh" ? this.#refreshTokens.get(claims.serial) : undefined;
    if (!claims || !record || record.validUntil <= Date.now()) return undefined;
    return { serial: claims.serial, record };
  }

  #expireAfterGrace(serial: number, record: RefreshTokenRecord): void {
    if (this.#graceSeconds === 0) this.#refreshTokens.delete(serial);
    else record.validUntil = Math.min(record.validUntil, Date.now() + this.#graceSeconds * 1_000);
  }

  #issuePair(account: Account, legacyOnly: boolean, accessSeconds: number, ageSeconds = 0): TokenPair {
    const accessToken = this.#sign(account, "access", accessSeconds, ageSeconds);
    const refreshToken = this.#sign(account, "refresh", refreshTokenSeconds);
    const { id, name } = account;
    this.#refreshTokens.set(this.#serial, {
      id,
      name,
      legacyOnly,
      validUntil: Date.now() + refreshTokenSeconds * 1_000,
    });
    const oldest = this.#refreshTokens.keys().next();
    if (this.#refreshTokens.size > maxRefreshTokens && !oldest.done) this.#refreshTokens.delete(oldest.value);
    return { accessToken, refreshToken };
  }

  #sign(account: Account, typ: "access" | "refresh", seconds: number, ageSeconds = 0): string {
    this.#serial += 1;
    const now = Math.floor(Date.now() / 1_000) - ageSeconds;
    const claims = {
      // Marks the token as simulated.
      iss: "moonbridge-simulator",
      aud: ["kimi.ai"],
      exp: now + seconds,
      iat: now,
      jti: `sim${this.#serial}`,
      typ,
      app_id: "kimi",
      sub: account.id,
      name: account.name,
      abstract_user_id: account.id,
      ssid: "1700000000000000001",
      device_id: "7000000000000000001",
      region: "overseas",
      membership: { level: 10 },
      code_membership: { level: 10 },
    };
    const signingInput = `${encodeSegment({ alg: "HS512", typ: "JWT" })}.${encodeSegment(claims)}`;
    return `${signingInput}.${this.#signature(signingInput).toString("base64url")}`;
  }

  #signature(signingInput: string): Buffer {
    return createHmac("sha512", this.#secret).update(signingInput).digest();
  }

  /** The claims of a token; undefined unless this instance signed it. */
  #verify(
    token: string,
  ): { typ: string; sub: string; name: string; exp: number; serial: number } | undefined {
    const end = token.lastIndexOf(".");
    const signature = Buffer.from(token.slice(end + 1), "base64url");
    const expected = this.#signature(token.slice(0, end));
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return undefined;
    const claims = parseObject(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    if (!claims) return undefined;
    const { typ, sub, name, jti } = claims;
    const serial = Number(asString(jti)?.slice(3));
    return { typ: String(typ), sub: String(sub), name: String(name), exp: Number(claims.exp), serial };
  }
}

/** The error for a call without an access token. */
function loginRequired(): ApiError {
  return new ApiError({ code: "permission_denied", reason: "REASON_ANONYMOUS_REQUIRE_LOGIN" });
}

/** The error for an access token that is invalid or expired. */
export function invalidToken(message: string): ApiError {
  return new ApiError({ code: "unauthenticated", reason: "REASON_INVALID_AUTH_TOKEN" }, message);
}

const defaultAccount: Account = { id: accountId("simulated"), name: "simulated" };

/** An id derived from the name: 20 characters of [0-9a-v] (kimi-web.md §0.3). */
function accountId(name: string): string {
  if (/^[0-9a-v]{20}$/.test(name)) return name;
  const digest = createHash("sha256").update(name).digest();
  return Array.from(digest.subarray(0, 20), (byte) => (byte & 31).toString(32)).join("");
}

function encodeSegment(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
