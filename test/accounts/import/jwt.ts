import { createHmac } from "node:crypto";

/** Times are in seconds. */
export type TokenClaims = Record<string, unknown>;

const encodePart = (value: TokenClaims) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWT whose signature has the right length. */
export function jwt(claims: TokenClaims, algorithm = "HS512"): string {
  const signed = `${encodePart({ alg: algorithm, typ: "JWT" })}.${encodePart(claims)}`;
  return `${signed}.${createHmac(algorithm.replace("HS", "sha"), "secret").update(signed).digest("base64url")}`;
}

const day = 86_400;
export const user = "d0000000000000000a00";

/** A token of the account gateway (kimi-web.md §2.3); `age` is seconds since its issue. */
export function currentToken(kind: "access" | "refresh", age = 0, extraClaims: TokenClaims = {}): string {
  const now = Math.floor(Date.now() / 1_000);
  const life = kind === "access" ? 900 : 90 * day;
  return jwt({
    iss: "account",
    aud: ["kimi.ai"],
    exp: now - age + life,
    iat: now - age,
    jti: `${kind}${age}`,
    typ: kind,
    app_id: "kimi",
    sub: user,
    ssid: "1700000000000000001",
    device_id: "7000000000000000001",
    region: "overseas",
    membership: { level: 10 },
    ...extraClaims,
  });
}

/** A token of the older site: its access token lives 30 days and is in the cookie too (kimi-web.md §2.3). */
export function legacyToken(kind: "access" | "refresh", age = 0, extraClaims: TokenClaims = {}): string {
  const now = Math.floor(Date.now() / 1_000);
  const life = (kind === "access" ? 30 : 90) * day;
  const times = { exp: now - age + life, iat: now - age };
  return jwt({
    iss: "user-center",
    ...times,
    typ: kind,
    app_id: "kimi",
    sub: user,
    region: "cn",
    ...extraClaims,
  });
}
