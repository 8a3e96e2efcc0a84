import { errors, type JWTPayload, jwtVerify } from "jose";
import type { OAuthConfig } from "../../../config/oauth-schema.js";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import type { Scope } from "../../../core/types.js";
import { asText } from "../../../lib/json.js";
import type { ChooseProxy } from "../../../proxy/proxy-rules.js";
import { IssuerKeySet } from "./issuer-keys.js";

/** OpenID Connect allows 255 characters; control characters are refused because the subject appears in logs. */
const subjectPattern = /^\P{Cc}{1,255}$/u;

/** Verifies access tokens of the configured identity provider (RFC 9068, as far as providers follow it). */
export class OidcIssuer {
  /** The issuer URL, as in the `iss` claim. */
  readonly name: string;
  readonly config: OAuthConfig;
  readonly #keys: IssuerKeySet;

  constructor(config: OAuthConfig, chooseProxy: ChooseProxy) {
    this.name = config.issuer;
    this.config = config;
    this.#keys = new IssuerKeySet(config.issuer, chooseProxy);
  }

  /**
   * Verifies a token. Resolves to the principal's name and scopes. Throws `invalid_api_key`, `insufficient_scope` or
   * `issuer_unavailable`.
   */
  async verify(token: string): Promise<{ name: string; scopes: Scope[] }> {
    const claims = await this.#verifiedClaims(token);
    const subject = asText(claims.sub) ?? asText(claims.client_id) ?? asText(claims.azp);
    if (subject === undefined || !subjectPattern.test(subject))
      throw new GatewayError(
        "invalid_api_key",
        "This token does not say whose it is: it has no “sub” of at most 255 characters.",
      );
    const granted = [String(claims.scope ?? ""), ...[claims.scp].flat().map(String)].join(" ").split(" ");
    const { scope: requiredScope, adminScope } = this.config;
    const missing = requiredScope?.split(" ").find((scope) => scope !== "" && !granted.includes(scope));
    if (missing !== undefined)
      throw new GatewayError(
        "insufficient_scope",
        `This token lacks the scope “${missing}” that this server needs.`,
      );
    // API key names contain no colon, so the two cannot collide.
    return { name: `oidc:${subject}`, scopes: granted.includes(adminScope) ? ["chat", "admin"] : ["chat"] };
  }

  close(): Promise<void> {
    return this.#keys.close();
  }

  async #verifiedClaims(token: string): Promise<JWTPayload> {
    const { issuer, audience, algorithms } = this.config;
    try {
      const { payload } = await jwtVerify(token, this.#keys.find, {
        issuer,
        audience,
        algorithms,
        clockTolerance: limits.clockTolerance / 1_000,
        requiredClaims: ["exp"],
      });
      return payload;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new GatewayError("invalid_api_key", explainRejection(error));
    }
  }
}

function explainRejection(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired)
    return "This token has expired. Get a new one from your identity provider.";
  if (error instanceof errors.JWTClaimValidationFailed)
    return `This token is not for this server, or not yet: its “${error.claim}” is not what the configuration says.`;
  return "This token is not signed as the configured issuer signs.";
}
