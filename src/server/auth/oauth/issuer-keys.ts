import { createLocalJWKSet, errors, type JWTVerifyGetKey } from "jose";
import { type Agent, request } from "undici";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import { asText, parseObject } from "../../../lib/json.js";
import { createProxyAgent } from "../../../proxy/proxy-agent.js";
import { ProxyError } from "../../../proxy/proxy-error.js";
import type { ChooseProxy } from "../../../proxy/proxy-rules.js";
import { TokenBuckets } from "../../token-buckets.js";

type KeySet = JWTVerifyGetKey;

/**
 * The issuer's public keys (JWKS), located by OpenID Connect Discovery. Fetched at first use, after
 * `limits.issuerKeys`, and when a token names an unknown key, since the issuer may have rotated its keys. Fetches are
 * limited to `limits.issuerFetches`, since anyone can send a token with an unknown key id.
 */
export class IssuerKeySet {
  readonly #issuer: string;
  readonly #agent: Agent;
  readonly #fetches = new TokenBuckets(1);
  #cached: { keys: KeySet; until: number } | undefined;
  #fetching: Promise<KeySet> | undefined;

  constructor(issuer: string, chooseProxy: ChooseProxy) {
    this.#issuer = issuer;
    this.#agent = createProxyAgent(chooseProxy, {
      timeout: limits.issuerResponse,
      maxResponseSize: limits.issuerBody,
    });
  }

  /** Resolves the key that a token's header names. Throws `issuer_unavailable`, or jose's error if there is no such key. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const cached = this.#cached;
    if (!cached || cached.until < performance.now()) return (await this.#fetch())(header, token);
    try {
      return await cached.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#canFetch) throw error;
      return (await this.#fetch())(header, token);
    }
  };

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  get #canFetch(): boolean {
    return this.#fetching !== undefined || this.#fetches.state("", limits.issuerFetches).remaining > 0;
  }

  /** Concurrent callers share one fetch. */
  #fetch(): Promise<KeySet> {
    if (this.#fetching) return this.#fetching;
    if (!this.#fetches.take("", limits.issuerFetches)) {
      return Promise.reject(unavailableError(this.#fetches.state("", limits.issuerFetches).secondsToNext));
    }
    this.#fetching = this.#fetchNow().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchNow(): Promise<KeySet> {
    try {
      const discovery = parseObject(
        await this.#getText(`${this.#issuer.replace(/\/$/, "")}/.well-known/openid-configuration`),
      );
      const keysUrl = asText(discovery?.jwks_uri);
      if (discovery?.issuer !== this.#issuer || keysUrl === undefined) throw new Error("not this issuer");
      // Plain http is accepted only where the issuer itself is configured with http (config/oauth-schema.ts: loopback).
      if (new URL(keysUrl).protocol !== "https:" && new URL(this.#issuer).protocol === "https:")
        throw new Error("not https");
      // jose validates the shape.
      const keys = createLocalJWKSet(JSON.parse(await this.#getText(keysUrl)));
      this.#cached = { keys, until: performance.now() + limits.issuerKeys };
      return keys;
    } catch (error) {
      throw unavailableError(1, error);
    }
  }

  async #getText(url: string): Promise<string> {
    const { statusCode, body } = await request(url, {
      dispatcher: this.#agent,
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(limits.issuerResponse),
    });
    const text = await body.text();
    if (statusCode !== 200) throw new Error("not 200");
    return text;
  }
}

function unavailableError(retryAfterSeconds: number, cause?: unknown): GatewayError {
  const reason =
    cause instanceof ProxyError
      ? `cannot be reached: ${cause.explanation.detail} (${cause.code})`
      : "cannot be reached, or says something else than oauth.issuer in the config";
  const message = `The identity provider of this server ${reason}. Tokens of its own cannot be checked meanwhile; API keys work.`;
  return new GatewayError("issuer_unavailable", message, { retryAfterSeconds });
}
