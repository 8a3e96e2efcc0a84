import { createHmac } from "node:crypto";

/** What a token says; times in seconds. */
export type Said = Record<string, unknown>;

const part = (value: Said) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWT of the right shape and length. */
export function jwt(said: Said, algorithm = "HS512"): string {
  const signed = `${part({ alg: algorithm, typ: "JWT" })}.${part(said)}`;
  return `${signed}.${createHmac(algorithm.replace("HS", "sha"), "secret").update(signed).digest("base64url")}`;
}

const day = 86_400;
export const user = "d0000000000000000a00";

/** The account gateway's tokens (kimi-web.md §2.3); `age` is seconds since their issue. */
export function today(kind: "access" | "refresh", age = 0, more: Said = {}): string {
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
    ...more,
  });
}

/** The older site's: an access token of 30 days, which stands in the cookie too (kimi-web.md §2.3). */
export function older(kind: "access" | "refresh", age = 0, more: Said = {}): string {
  const now = Math.floor(Date.now() / 1_000);
  const life = (kind === "access" ? 30 : 90) * day;
  const times = { exp: now - age + life, iat: now - age };
  return jwt({ iss: "user-center", ...times, typ: kind, app_id: "kimi", sub: user, region: "cn", ...more });
}
