import { createHash, randomBytes } from "node:crypto";
import { type Static, Type } from "@sinclair/typebox";
import { GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import type { OidcIssuer } from "./issuer.js";

/** A login that has begun, as the browser keeps it, sealed, until the issuer sends the person back. */
export const PendingLogin = Type.Object({
  state: Type.String(),
  nonce: Type.String(),
  verifier: Type.String(),
  redirectUri: Type.String(),
  /** Milliseconds since the epoch. */
  expiresAt: Type.Number(),
});
export type PendingLogin = Static<typeof PendingLogin>;

/** What the issuer adds to the address that it sends the person back to (RFC 6749 §4.1.2, RFC 9207). */
export type LoginAnswer = { code?: string; state?: string; iss?: string; error?: string };

/** The authorization code flow of OpenID Connect with PKCE (RFC 7636), as a client without a secret. */
export async function beginLogin(
  issuer: OidcIssuer,
  clientId: string,
  redirectUri: string,
): Promise<{ url: string; pending: PendingLogin }> {
  const [state, nonce, verifier] = [randomText(), randomText(), randomText()];
  const { scope, adminScope, audience } = issuer.config;
  const url = new URL(await issuer.authorizationEndpoint());
  const parameters: Record<string, string> = {
    ...{ response_type: "code", client_id: clientId, redirect_uri: redirectUri, state, nonce },
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    scope: [...new Set(["openid", adminScope, ...(scope?.split(" ") ?? [])])].join(" "),
    // Some issuers make tokens for an API only if it is named; others ignore what they do not know (RFC 6749 §3.1).
    audience,
    ...(URL.canParse(audience) ? { resource: audience } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const expiresAt = Date.now() + limits.loginCode;
  return { url: url.href, pending: { state, nonce, verifier, redirectUri, expiresAt } };
}

/**
 * The access token of the person that the issuer has sent back. It is not verified yet; the ID token is. Throws
 * `invalid_api_key`, also for an answer to another login than `pending`, and `issuer_unavailable`.
 */
export async function finishLogin(
  issuer: OidcIssuer,
  clientId: string,
  { pending, answer }: { pending: PendingLogin; answer: LoginAnswer },
): Promise<string> {
  const { code, iss } = answer;
  if (
    answer.state !== pending.state ||
    pending.expiresAt < Date.now() ||
    (iss ?? issuer.name) !== issuer.name
  )
    throw foreignLogin();
  if (code === undefined) throw new GatewayError("invalid_api_key", "Your identity provider let nobody in.");
  const form = new URLSearchParams({
    ...{ grant_type: "authorization_code", code, client_id: clientId },
    ...{ redirect_uri: pending.redirectUri, code_verifier: pending.verifier },
  });
  const { accessToken, idToken } = await issuer.exchange(form);
  const { nonce } = await issuer.verifyIdToken(idToken, clientId);
  if (nonce !== pending.nonce) throw foreignLogin();
  return accessToken;
}

/** For a login that was not begun by this browser, or too long ago. */
export function foreignLogin(): GatewayError {
  return new GatewayError(
    "invalid_api_key",
    "This login was not begun in this browser, or more than ten minutes ago. Begin it again.",
  );
}

function randomText(): string {
  return randomBytes(32).toString("base64url");
}
