/** A token with the claims of Kimi's tokens that Moonbridge reads (kimi-web.md §2.3), without a valid signature. */
function createToken(kind: string, lifetimeSeconds: number): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: "account",
    aud: ["kimi.com"],
    typ: kind,
    app_id: "kimi",
    sub: "u",
    iat: now,
    exp: now + lifetimeSeconds,
  };
  return [{ alg: "HS512", typ: "JWT" }, claims, "bench"]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
}

const secondsPerDay = 86_400;
export const accessToken = createToken("access", 30 * secondsPerDay);
export const refreshToken = createToken("refresh", 90 * secondsPerDay);
