import { errors, type JWTPayload, jwtVerify } from "jose";
import type { OAuthConfig } from "../../../config/oauth-schema.js";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import type { Scope } from "../../../core/types.js";
import { asText, parseObject } from "../../../lib/json.js";
import type { ChooseProxy } from "../../../proxy/proxy-rules.js";
import { IssuerConnection } from "./issuer-connection.js";
import { IssuerKeySet, unavailableError } from "./issuer-keys.js";

/** OpenID Connect allows 255 characters; control characters are refused because the subject appears in logs. */
const subjectPattern = /^\P{Cc}{1,255}$/u;

/** Verifies access tokens of the configured identity provider (RFC 9068, as far as providers follow it). */
export class OidcIssuer {
  /** The issuer URL, as in the `iss` claim. */
  readonly name: string;
  readonly config: OAuthConfig;
  readonly #connection: IssuerConnection;
  readonly #keys: IssuerKeySet;

  constructor(config: OAuthConfig, chooseProxy: ChooseProxy) {
    this.name = config.issuer;
    this.config = config;
    this.#connection = new IssuerConnection(chooseProxy);
    this.#keys = new IssuerKeySet(config.issuer, this.#connection);
  }

  /**
   * Verifies a token. Resolves to the principal's name and scopes. Throws `invalid_api_key`, `insufficient_scope` or
   * `issuer_unavailable`.
   */
  async verify(token: string): Promise<{ name: string; scopes: Scope[] }> {
    const claims = await this.#verifiedClaims(token, this.config.audience);
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

  /** The claims of an ID token that was made for this client. Throws `invalid_api_key` or `issuer_unavailable`. */
  verifyIdToken(token: string, clientId: string): Promise<JWTPayload> {
    return this.#verifiedClaims(token, clientId);
  }

  /** The address where people log in. Throws `issuer_unavailable`. */
  async authorizationEndpoint(): Promise<string> {
    const { authorization } = await this.#keys.endpoints();
    if (authorization === undefined) throw unavailableError(1);
    return authorization;
  }

  /**
   * Tokens for what a login has brought back. Throws `invalid_api_key` if the issuer refuses it, and `issuer_unavailable`.
   */
  async exchange(form: URLSearchParams): Promise<{ accessToken: string; idToken: string }> {
    const { token } = await this.#keys.endpoints();
    if (token === undefined) throw unavailableError(1);
    const { status, text } = await this.#connection.postForm(token, form).catch((error: unknown) => {
      throw unavailableError(1, error);
    });
    if (status >= 500) throw unavailableError(1);
    const answer = parseObject(text);
    const [accessToken, idToken] = [asText(answer?.access_token), asText(answer?.id_token)];
    if (status !== 200 || accessToken === undefined || idToken === undefined)
      throw new GatewayError(
        "invalid_api_key",
        "Your identity provider did not accept this login. Log in again.",
      );
    return { accessToken, idToken };
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #verifiedClaims(token: string, audience: string): Promise<JWTPayload> {
    const { issuer, algorithms } = this.config;
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
