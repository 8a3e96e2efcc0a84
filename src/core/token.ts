import { hash } from "node:crypto";
import { type JsonObject, parseObject } from "../lib/json.js";

/** Both tokens of a login. An access token alone works until it expires. */
export type TokenPair = { accessToken?: string; refreshToken?: string };

/** What a Kimi token says of itself (kimi-web.md §2.3). Times are milliseconds since the epoch. */
export type Claims = {
  issuedAt: number | undefined;
  expiresAt: number | undefined;
  /** The account's user id. */
  subject: string | undefined;
  audience: string[];
  /** `access` or `refresh`. */
  kind: string | undefined;
  issuer: string | undefined;
  /** What the token is good for; `kimi` for the web chat. */
  app: string | undefined;
};

/**
 * Reads the claims of a JWT. Kimi signs for itself and we only plan by them, so nothing is verified.
 * A token that is no JWT has no claims and is tried as it is.
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

/** A part of a JWT, header or payload, as the JSON object that it is. */
export function decodeJwtPart(part: string): JsonObject | undefined {
  return parseObject(Buffer.from(part, "base64url").toString("utf8"));
}

/** A short name for a token that tells nothing about it; for logs and comparisons. */
export function fingerprint(token: string): string {
  return hash("sha256", token, "hex").slice(0, 12);
}

function milliseconds(seconds: unknown): number | undefined {
  return typeof seconds === "number" && Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}
