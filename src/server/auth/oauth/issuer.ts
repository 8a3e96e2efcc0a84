import { errors, type JWTPayload, jwtVerify } from "jose";
import type { OAuthConfig } from "../../../config/oauth-schema.js";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import type { Scope } from "../../../core/types.js";
import { asText } from "../../../lib/json.js";
import { IssuerKeys } from "./issuer-keys.js";

/** As long as OpenID Connect allows; it stands in logs. */
const subjectForm = /^\P{Cc}{1,255}$/u;

/** The identity provider of the config, whose tokens open this server (RFC 9068, as far as providers keep to it). */
export class Issuer {
  /** Its address, as its tokens name it. */
  readonly name: string;
  readonly #config: OAuthConfig;
  readonly #keys: IssuerKeys;

  constructor(config: OAuthConfig) {
    this.name = config.issuer;
    this.#config = config;
    this.#keys = new IssuerKeys(config.issuer);
  }

  /** Whose token it is and what it may do. Throws `invalid_api_key`, `insufficient_scope` or `issuer_unavailable`. */
  async verify(token: string): Promise<{ name: string; scopes: Scope[] }> {
    const claims = await this.#read(token);
    const subject = asText(claims.sub) ?? asText(claims.client_id) ?? asText(claims.azp);
    if (subject === undefined || !subjectForm.test(subject))
      throw new GatewayError(
        "invalid_api_key",
        "This token does not say whose it is: it has no “sub” of at most 255 characters.",
      );
    const granted = [String(claims.scope ?? ""), ...[claims.scp].flat().map(String)].join(" ").split(" ");
    const { scope: needed, adminScope } = this.#config;
    const missing = needed?.split(" ").find((scope) => scope !== "" && !granted.includes(scope));
    if (missing !== undefined)
      throw new GatewayError(
        "insufficient_scope",
        `This token lacks the scope “${missing}” that this server needs.`,
      );
    // A key's name has no colon.
    return { name: `oidc:${subject}`, scopes: granted.includes(adminScope) ? ["chat", "admin"] : ["chat"] };
  }

  close(): Promise<void> {
    return this.#keys.close();
  }

  async #read(token: string): Promise<JWTPayload> {
    const { issuer, audience, algorithms } = this.#config;
    try {
      const { payload } = await jwtVerify(token, this.#keys.find, {
        issuer,
        audience,
        algorithms,
        clockTolerance: limits.clockDifference / 1_000,
        requiredClaims: ["exp"],
      });
      return payload;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new GatewayError("invalid_api_key", reason(error));
    }
  }
}

function reason(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired)
    return "This token has expired. Get a new one from your identity provider.";
  if (error instanceof errors.JWTClaimValidationFailed)
    return `This token is not for this server, or not yet: its “${error.claim}” is not what the configuration says.`;
  return "This token is not signed as the configured issuer signs.";
}
