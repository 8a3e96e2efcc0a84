import { createHmac, randomBytes } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import type { KeyStore } from "../../../core/store.js";
import type { Scope } from "../../../core/types.js";
import { type ApiKey, type ApiKeys, equalHashes } from "../api-keys.js";

/** Issuer and audience of the tokens that Moonbridge issues for itself. */
export const ownIssuer = "moonbridge";

/** Access tokens from `POST /token`: JWTs for one API key, valid for at most an hour and no longer than the key. */
export class AccessTokens {
  readonly #secret: Buffer;
  readonly #keys: ApiKeys;

  private constructor(secret: Buffer, keys: ApiKeys) {
    this.#secret = secret;
    this.#keys = keys;
  }

  /** The signing secret is in the store, so that tokens survive restarts and are valid in every process. */
  static async open(store: KeyStore, keys: ApiKeys): Promise<AccessTokens> {
    const secret = await store.getOrCreateSecret("access-tokens", () =>
      randomBytes(32).toString("base64url"),
    );
    return new AccessTokens(Buffer.from(secret, "base64url"), keys);
  }

  /** Issues a token for the key; `seconds` is its lifetime. */
  async issue(key: ApiKey, scopes: readonly Scope[]): Promise<{ token: string; seconds: number }> {
    const now = Date.now();
    const expiresAtMs = Math.min(now + limits.accessToken, key.settings.expires ?? Number.POSITIVE_INFINITY);
    const issuedAt = Math.floor(now / 1_000);
    const expiresAt = Math.floor(expiresAtMs / 1_000);
    const token = await new SignJWT({
      scope: scopes.join(" "),
      key: this.#keyHmac(key).toString("base64url"),
    })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer(ownIssuer)
      .setAudience(ownIssuer)
      .setSubject(key.name)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(this.#secret);
    return { token, seconds: expiresAt - issuedAt };
  }

  /** The key of a token, with the token's scopes that the key still has. Throws `invalid_api_key`. */
  async verify(token: string): Promise<ApiKey> {
    const { sub, scope, key: hmacClaim } = await this.#verifiedClaims(token);
    const claimedHmac = Buffer.from(String(hmacClaim), "base64url");
    const key = (await this.#keys.findByName(sub ?? "")).find((each) =>
      equalHashes(this.#keyHmac(each), claimedHmac),
    );
    if (!key) {
      throw new GatewayError(
        "invalid_api_key",
        "The key behind this access token was revoked. Use another key.",
      );
    }
    const granted = String(scope).split(" ");
    const scopes = key.settings.scopes.filter((each) => granted.includes(each));
    return { ...key, settings: { ...key.settings, scopes }, isGuessable: false };
  }

  async #verifiedClaims(token: string) {
    try {
      const options = {
        algorithms: ["HS256"],
        issuer: ownIssuer,
        audience: ownIssuer,
        requiredClaims: ["sub", "exp"],
      };
      return (await jwtVerify(token, this.#secret, options)).payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired)
        throw new GatewayError(
          "invalid_api_key",
          "This access token has expired. Get a new one from POST /token.",
        );
      throw new GatewayError("invalid_api_key", "This access token is not one that this Moonbridge issued.");
    }
  }

  /** Identifies the key in a token. An HMAC, so that a short key cannot be found from the token by brute force. */
  #keyHmac({ hash }: ApiKey): Buffer {
    return createHmac("sha256", this.#secret).update(hash).digest();
  }
}
