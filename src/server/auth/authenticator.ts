import { decodeJwt } from "jose";
import type { Config } from "../../config/schema.js";
import { GatewayError } from "../../core/errors.js";
import type { KeyStore } from "../../core/store.js";
import type { Principal } from "../../core/types.js";
import { type Key, type KeyLimits, KeyRing, refuseExpired } from "./api-keys.js";
import { AccessTokens, self } from "./oauth/access-tokens.js";
import { Issuer } from "./oauth/issuer.js";

/** Somebody who may come in. */
export type Visitor = { caller: Principal; limits: KeyLimits; guessable: boolean };

/** Who may come in: with an API key, with a token that `/token` issued for one, or with a token of the issuer's. */
export class Entrance {
  readonly keys: KeyRing;
  readonly tokens: AccessTokens;
  readonly #issuer: Issuer | undefined;

  private constructor(keys: KeyRing, tokens: AccessTokens, issuer: Issuer | undefined) {
    this.keys = keys;
    this.tokens = tokens;
    this.#issuer = issuer;
  }

  static async open({ keys, oauth }: Pick<Config, "keys" | "oauth">, store: KeyStore): Promise<Entrance> {
    const ring = new KeyRing(keys, store);
    return new Entrance(ring, await AccessTokens.open(store, ring), oauth && new Issuer(oauth));
  }

  /** Whose key or token this is. Throws `invalid_api_key`, `insufficient_scope` or `issuer_unavailable`. */
  async identify(credential: string): Promise<Visitor> {
    const key = await this.keys.find(credential);
    if (key) return visitor(key);
    const issuer = issuerOf(credential);
    if (issuer === self) return visitor(await this.tokens.keyOf(credential));
    if (issuer !== undefined && issuer === this.#issuer?.name) {
      const { name, scopes } = await this.#issuer.verify(credential);
      return { caller: { keyName: name, scopes }, limits: {}, guessable: false };
    }
    throw new GatewayError(
      "invalid_api_key",
      issuer === undefined
        ? "This API key does not open Moonbridge. Use the key it printed at its first start, or the token in its config.json."
        : "This token does not open Moonbridge: it is from an issuer that its config.json does not name.",
    );
  }

  async close(): Promise<void> {
    await this.#issuer?.close();
  }
}

function visitor(key: Key): Visitor {
  refuseExpired(key);
  const { name, settings, guessable } = key;
  return { caller: { keyName: name, ...settings }, limits: settings, guessable };
}

/** Whom a token says it is from, if it is a token; nothing of it is believed yet. */
function issuerOf(credential: string): string | undefined {
  try {
    return decodeJwt(credential).iss;
  } catch {
    return undefined;
  }
}
