import { createHmac, randomBytes } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import type { KeyStore } from "../../../core/store.js";
import type { Scope } from "../../../core/types.js";
import { type Key, type KeyRing, sameHash } from "../api-keys.js";

/** Issuer and audience of the tokens that Moonbridge issues for itself. */
export const self = "moonbridge";

/** The tokens that `/token` issues: JWTs that stand for a key, for an hour at most and not longer than the key. */
export class AccessTokens {
  readonly #secret: Buffer;
  readonly #keys: KeyRing;

  private constructor(secret: Buffer, keys: KeyRing) {
    this.#secret = secret;
    this.#keys = keys;
  }

  /** Signs with a secret that is kept in the store, so that other processes and later ones know the tokens. */
  static async open(store: KeyStore, keys: KeyRing): Promise<AccessTokens> {
    const secret = await store.secret("access-tokens", () => randomBytes(32).toString("base64url"));
    return new AccessTokens(Buffer.from(secret, "base64url"), keys);
  }

  /** A token for this key, and its life in seconds. */
  async issue(key: Key, scopes: readonly Scope[]): Promise<{ token: string; seconds: number }> {
    const now = Date.now();
    const until = Math.min(now + limits.accessToken, key.settings.expires ?? Number.POSITIVE_INFINITY);
    const issuedAt = Math.floor(now / 1_000);
    const expires = Math.floor(until / 1_000);
    const token = await new SignJWT({
      scope: scopes.join(" "),
      key: this.#fingerprint(key).toString("base64url"),
    })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer(self)
      .setAudience(self)
      .setSubject(key.name)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expires)
      .sign(this.#secret);
    return { token, seconds: expires - issuedAt };
  }

  /** The key that a token stands for, with what is left of its scopes. Throws `invalid_api_key`. */
  async keyOf(token: string): Promise<Key> {
    const { sub, scope, key: fingerprint } = await this.#read(token);
    const given = Buffer.from(String(fingerprint), "base64url");
    const key = (await this.#keys.named(sub ?? "")).find((each) => sameHash(this.#fingerprint(each), given));
    if (!key) {
      throw new GatewayError(
        "invalid_api_key",
        "The key behind this access token was revoked. Use another key.",
      );
    }
    const granted = String(scope).split(" ");
    const scopes = key.settings.scopes.filter((each) => granted.includes(each));
    return { ...key, settings: { ...key.settings, scopes }, guessable: false };
  }

  async #read(token: string) {
    try {
      const options = { algorithms: ["HS256"], issuer: self, audience: self, requiredClaims: ["sub", "exp"] };
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

  /** Tells keys apart; without the secret nobody can find a short key by it. */
  #fingerprint({ hash }: Key): Buffer {
    return createHmac("sha256", this.#secret).update(hash).digest();
  }
}
