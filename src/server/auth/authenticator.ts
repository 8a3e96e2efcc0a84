import { isDeepStrictEqual } from "node:util";
import { decodeJwt } from "jose";
import type { Config } from "../../config/schema.js";
import { GatewayError } from "../../core/errors.js";
import type { KeyStore } from "../../core/store.js";
import type { Principal } from "../../core/types.js";
import { type ApiKey, ApiKeys, type KeyLimits, throwIfExpired } from "./api-keys.js";
import { AccessTokens, ownIssuer } from "./oauth/access-tokens.js";
import { OidcIssuer } from "./oauth/issuer.js";

/**
 * The key or token owner of a request. `isGuessable`: its key is short enough to be found by brute force. `keyHash`: that of
 * the API key, also behind a token; absent for tokens of the OIDC issuer.
 */
export type AuthenticatedRequest = {
  principal: Principal;
  limits: KeyLimits;
  isGuessable: boolean;
  keyHash?: Buffer;
};

/** Authenticates requests by an API key, an access token from `POST /token`, or a token of the configured OIDC issuer. */
export class Authenticator {
  readonly keys: ApiKeys;
  readonly tokens: AccessTokens;
  #issuer: OidcIssuer | undefined;

  private constructor(keys: ApiKeys, tokens: AccessTokens, issuer: OidcIssuer | undefined) {
    this.keys = keys;
    this.tokens = tokens;
    this.#issuer = issuer;
  }

  static async open(
    { keys, oauth, proxies }: Pick<Config, "keys" | "oauth" | "proxies">,
    store: KeyStore,
  ): Promise<Authenticator> {
    const apiKeys = new ApiKeys(keys, store);
    return new Authenticator(
      apiKeys,
      await AccessTokens.open(store, apiKeys),
      oauth && new OidcIssuer(oauth, proxies.chooseFor()),
    );
  }

  /** Throws `invalid_api_key`, `insufficient_scope` or `issuer_unavailable`. */
  async authenticate(credential: string): Promise<AuthenticatedRequest> {
    const key = await this.keys.find(credential);
    if (key) return authenticatedBy(key);
    const issuer = unverifiedIssuer(credential);
    if (issuer === ownIssuer) return authenticatedBy(await this.tokens.verify(credential));
    if (issuer !== undefined && issuer === this.#issuer?.name) {
      const { name, scopes } = await this.#issuer.verify(credential);
      return { principal: { keyName: name, scopes }, limits: {}, isGuessable: false };
    }
    throw new GatewayError(
      "invalid_api_key",
      issuer === undefined
        ? "This API key does not open Moonbridge. Use the key it printed at its first start, or the token in its config.json."
        : "This token does not open Moonbridge: it is from an issuer that its config.json does not name.",
    );
  }

  /** The issuer at which people log in to the console, and the console's name there; undefined where that is not set up. */
  get loginIssuer(): { issuer: OidcIssuer; clientId: string } | undefined {
    const clientId = this.#issuer?.config.consoleClientId;
    return this.#issuer && clientId !== undefined ? { issuer: this.#issuer, clientId } : undefined;
  }

  /** From now on these keys and this issuer are those of the configuration. Keys and tokens that it lacks are refused. */
  replaceConfig({ keys, oauth, proxies }: Pick<Config, "keys" | "oauth" | "proxies">): void {
    this.keys.replaceConfigured(keys);
    if (isDeepStrictEqual(this.#issuer?.config, oauth)) return;
    const replaced = this.#issuer;
    this.#issuer = oauth && new OidcIssuer(oauth, proxies.chooseFor());
    void replaced?.close();
  }

  async close(): Promise<void> {
    await this.#issuer?.close();
  }
}

function authenticatedBy(key: ApiKey): AuthenticatedRequest {
  throwIfExpired(key);
  const { name, settings, isGuessable, hash } = key;
  return { principal: { keyName: name, ...settings }, limits: settings, isGuessable, keyHash: hash };
}

/** The `iss` claim if the credential is a JWT. Unverified: it only selects how to verify the token. */
function unverifiedIssuer(credential: string): string | undefined {
  try {
    return decodeJwt(credential).iss;
  } catch {
    return undefined;
  }
}
