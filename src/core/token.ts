import { hash } from "node:crypto";
import { type JsonObject, parseObject } from "../lib/json.js";

/** The tokens of an account. An access token without a refresh token works until it expires. */
export type TokenPair = { accessToken?: string; refreshToken?: string };

/** The claims of a Kimi token (kimi-web.md §2.3). Times are milliseconds since the epoch. */
export type Claims = {
  issuedAt: number | undefined;
  expiresAt: number | undefined;
  /** The account's user id. */
  subject: string | undefined;
  audience: string[];
  /** `access` or `refresh`. */
  kind: string | undefined;
  issuer: string | undefined;
  /** The application that the token is for; `kimi` for the web chat. */
  app: string | undefined;
};

/**
 * Decodes the claims of a JWT without verifying it: they only schedule refreshes, and Kimi verifies its own tokens.
 * A token that is not a JWT has no claims.
 */
export function decodeClaims(token: string): Claims {
  const payload = decodeJwtPart(token.split(".")[1] ?? "") ?? {};
  const audience = payload.aud;
  return {
    issuedAt: milliseconds(payload.iat),
    expiresAt: milliseconds(payload.exp),
    subject: typeof payload.sub === "string" ? payload.sub : undefined,
    audience: [audience].flat().filter((item) => typeof item === "string"),
    kind: typeof payload.typ === "string" ? payload.typ : undefined,
    issuer: typeof payload.iss === "string" ? payload.iss : undefined,
    app: typeof payload.app_id === "string" ? payload.app_id : undefined,
  };
}

/** The JSON object in a JWT's header or payload segment; undefined if the segment is not one. */
export function decodeJwtPart(part: string): JsonObject | undefined {
  return parseObject(Buffer.from(part, "base64url").toString("utf8"));
}

/** A short one-way identifier of a token, for logs and comparisons. */
export function fingerprint(token: string): string {
  return hash("sha256", token, "hex").slice(0, 12);
}

/** A token or key without the `Bearer ` that was copied along with it. */
export function stripBearer(token: string): string {
  return token.trim().replace(/^bearer\s+/i, "");
}

function milliseconds(seconds: unknown): number | undefined {
  return typeof seconds === "number" && Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}
