import { createLocalJWKSet, errors, type JWTVerifyGetKey } from "jose";
import { Agent, request } from "undici";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import { asText, parseObject } from "../../../lib/json.js";
import { Buckets } from "../../token-buckets.js";

type KeySet = JWTVerifyGetKey;

/**
 * The issuer's public keys, found by OpenID Connect Discovery. They are fetched when they are first needed, when they
 * are old, and when a token names one that is not among them: the issuer may have rotated. All of it together no
 * oftener than `limits.issuerFetches`, since anybody can send tokens that name strange keys.
 */
export class IssuerKeys {
  readonly #issuer: string;
  readonly #agent = new Agent({
    connect: { timeout: limits.issuerAnswer },
    maxResponseSize: limits.issuerBody,
  });
  readonly #fetches = new Buckets(1);
  #known: { keys: KeySet; until: number } | undefined;
  #fetching: Promise<KeySet> | undefined;

  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  /** The key that a token's header names. Throws `issuer_unavailable`, or jose's error if there is none. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = this.#known;
    if (!known || known.until < performance.now()) return (await this.#fetch())(header, token);
    try {
      return await known.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#mayFetch) throw error;
      return (await this.#fetch())(header, token);
    }
  };

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  get #mayFetch(): boolean {
    return this.#fetching !== undefined || this.#fetches.look("", limits.issuerFetches).left > 0;
  }

  /** One fetch for all who wait. */
  #fetch(): Promise<KeySet> {
    if (this.#fetching) return this.#fetching;
    if (!this.#fetches.take("", limits.issuerFetches)) {
      return Promise.reject(unavailable(this.#fetches.look("", limits.issuerFetches).next));
    }
    this.#fetching = this.#fetchNow().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchNow(): Promise<KeySet> {
    try {
      const discovery = parseObject(
        await this.#get(`${this.#issuer.replace(/\/$/, "")}/.well-known/openid-configuration`),
      );
      const address = asText(discovery?.jwks_uri);
      if (discovery?.issuer !== this.#issuer || address === undefined) throw new Error("not this issuer");
      // Plain http is for an issuer on this machine alone.
      if (new URL(address).protocol !== "https:" && new URL(this.#issuer).protocol === "https:")
        throw new Error("not https");
      // jose looks at the shape itself.
      const keys = createLocalJWKSet(JSON.parse(await this.#get(address)));
      this.#known = { keys, until: performance.now() + limits.issuerKeys };
      return keys;
    } catch {
      throw unavailable(1);
    }
  }

  async #get(url: string): Promise<string> {
    const { statusCode, body } = await request(url, {
      dispatcher: this.#agent,
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(limits.issuerAnswer),
    });
    const answer = await body.text();
    if (statusCode !== 200) throw new Error("not 200");
    return answer;
  }
}

function unavailable(retryAfterSeconds: number): GatewayError {
  const message =
    "The identity provider of this server cannot be reached, or says something else than oauth.issuer in the config. " +
    "Tokens of its own cannot be checked meanwhile; API keys work.";
  return new GatewayError("issuer_unavailable", message, { retryAfterSeconds });
}
