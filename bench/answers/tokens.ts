/** Tokens in the form of Kimi's, as far as a reader looks at them (kimi-web.md §2.3). */
function token(kind: string, seconds: number): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: "account",
    aud: ["kimi.com"],
    typ: kind,
    app_id: "kimi",
    sub: "u",
    iat: now,
    exp: now + seconds,
  };
  return [{ alg: "HS512", typ: "JWT" }, claims, "bench"]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
}

const day = 86_400;
export const accessToken = token("access", 30 * day);
export const refreshToken = token("refresh", 90 * day);
