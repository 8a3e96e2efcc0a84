import { createLocalJWKSet, errors, type JWTVerifyGetKey } from "jose";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import { asText, parseObject } from "../../../lib/json.js";
import { ProxyError } from "../../../proxy/proxy-error.js";
import { TokenBuckets } from "../../token-buckets.js";
import type { IssuerConnection } from "./issuer-connection.js";

type KeySet = JWTVerifyGetKey;

/** Where people log in at the issuer, and where what they bring back is exchanged; undefined where it does not say so. */
export type IssuerEndpoints = { authorization: string | undefined; token: string | undefined };

/** What the issuer has published. */
type Published = { keys: KeySet; endpoints: IssuerEndpoints };

/**
 * The issuer's public keys (JWKS), located by OpenID Connect Discovery. Fetched at first use, after
 * `limits.issuerKeys`, and when a token names an unknown key, since the issuer may have rotated its keys. Fetches are
 * limited to `limits.issuerFetches`, since anyone can send a token with an unknown key id.
 */
export class IssuerKeySet {
  readonly #issuer: string;
  readonly #connection: IssuerConnection;
  readonly #fetches = new TokenBuckets(1);
  #cached: (Published & { until: number }) | undefined;
  #fetching: Promise<Published> | undefined;

  constructor(issuer: string, connection: IssuerConnection) {
    this.#issuer = issuer;
    this.#connection = connection;
  }

  /** Resolves the key that a token's header names. Throws `issuer_unavailable`, or jose's error if there is no such key. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const cached = this.#fresh;
    if (!cached) return (await this.#fetch()).keys(header, token);
    try {
      return await cached.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#canFetch) throw error;
      return (await this.#fetch()).keys(header, token);
    }
  };

  /** Throws `issuer_unavailable`. */
  async endpoints(): Promise<IssuerEndpoints> {
    return (this.#fresh ?? (await this.#fetch())).endpoints;
  }

  get #fresh(): Published | undefined {
    return this.#cached && this.#cached.until >= performance.now() ? this.#cached : undefined;
  }

  get #canFetch(): boolean {
    return this.#fetching !== undefined || this.#fetches.state("", limits.issuerFetches).remaining > 0;
  }

  /** Concurrent callers share one fetch. */
  #fetch(): Promise<Published> {
    if (this.#fetching) return this.#fetching;
    if (!this.#fetches.take("", limits.issuerFetches)) {
      return Promise.reject(unavailableError(this.#fetches.state("", limits.issuerFetches).secondsToNext));
    }
    this.#fetching = this.#fetchNow().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchNow(): Promise<Published> {
    try {
      const discovery = parseObject(
        await this.#connection.getText(`${this.#issuer.replace(/\/$/, "")}/.well-known/openid-configuration`),
      );
      const keysUrl = asText(discovery?.jwks_uri);
      if (discovery?.issuer !== this.#issuer || keysUrl === undefined) throw new Error("not this issuer");
      if (!this.#isSafe(keysUrl)) throw new Error("not https");
      const endpoints = {
        authorization: this.#endpoint(discovery.authorization_endpoint),
        token: this.#endpoint(discovery.token_endpoint),
      };
      // jose validates the shape.
      const keys = createLocalJWKSet(JSON.parse(await this.#connection.getText(keysUrl)));
      this.#cached = { keys, endpoints, until: performance.now() + limits.issuerKeys };
      return this.#cached;
    } catch (error) {
      throw unavailableError(1, error);
    }
  }

  #endpoint(value: unknown): string | undefined {
    const url = asText(value);
    return url !== undefined && this.#isSafe(url) ? url : undefined;
  }

  /** Plain http is accepted only where the issuer itself is configured with http (config/oauth-schema.ts: loopback). */
  #isSafe(url: string): boolean {
    return new URL(url).protocol === "https:" || new URL(this.#issuer).protocol === "http:";
  }
}

export function unavailableError(retryAfterSeconds: number, cause?: unknown): GatewayError {
  const reason =
    cause instanceof ProxyError
      ? `cannot be reached: ${cause.explanation.detail} (${cause.code})`
      : "cannot be reached, or says something else than oauth.issuer in the config";
  const message = `The identity provider of this server ${reason}. Tokens of its own cannot be checked meanwhile; API keys work.`;
  return new GatewayError("issuer_unavailable", message, { retryAfterSeconds });
}
