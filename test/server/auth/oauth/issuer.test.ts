import { createHmac } from "node:crypto";
import fc from "fast-check";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { limits } from "../../../../src/core/limits.js";
import { ProxyRules } from "../../../../src/proxy/proxy-rules.js";
import { Authenticator } from "../../../../src/server/auth/authenticator.js";
import { apiKey, chatBody, type Gateway, postChat, startGateway, waitUntil } from "../../../gateway.js";
import { type Claims, startIssuer, type TestIssuer } from "../../../openid-provider.js";

async function startGatewayWithIssuer(
  settings: Record<string, unknown> = {},
): Promise<{ issuer: TestIssuer; gateway: Gateway }> {
  const issuer = await startIssuer();
  const gateway = await startGateway({ oauth: { issuer: issuer.url, audience: "moonbridge", ...settings } });
  return { issuer, gateway };
}

async function sendChat(gateway: Gateway, token: string) {
  const response = await postChat(gateway, chatBody("hello"), {
    headers: { authorization: `Bearer ${token}` },
  });
  const { error } = JSON.parse(await response.text());
  return { status: response.status, code: error?.code, message: error?.message };
}

/** The principal of a token, with these settings of OAuth. */
async function authenticate(
  gateway: Gateway,
  issuer: TestIssuer,
  token: string,
  settings: { adminScope?: string } = {},
) {
  const authenticator = await Authenticator.open(
    {
      keys: [],
      proxies: new ProxyRules(),
      oauth: {
        issuer: issuer.url,
        audience: "moonbridge",
        adminScope: "moonbridge:admin",
        algorithms: ["RS256"],
        ...settings,
      },
    },
    gateway.store,
  );
  const { principal } = await authenticator.authenticate(token);
  await authenticator.close();
  return principal;
}

const secondsFromNow = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;
const refused = { status: 401, code: "invalid_api_key" };

describe("a token of the issuer", () => {
  test("is accepted, and logged with a name that no API key has", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    expect((await sendChat(gateway, await issuer.issueToken())).status).toBe(200);
    await waitUntil(() => gateway.logEntries().some((line) => line.key === "oidc:robot"));
  });

  test("is verified with the issuer's keys, which are fetched only once", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    const tokens = await Promise.all([issuer.issueToken(), issuer.issueToken(), issuer.issueToken()]);
    const statuses = (await Promise.all(tokens.map((token) => sendChat(gateway, token)))).map(
      ({ status }) => status,
    );
    expect(statuses).toEqual([200, 200, 200]);
    expect((await sendChat(gateway, await issuer.issueToken())).status).toBe(200);
    expect(issuer.requests.filter((path) => path === "/jwks").length).toBe(1);
    expect(issuer.requests.filter((path) => path.startsWith("/.well-known")).length).toBe(1);
  });

  test.each<[Claims, string]>([
    [{ sub: "robot" }, "oidc:robot"],
    [{ sub: "test" }, "oidc:test"],
    [{ sub: "", client_id: "c" }, "oidc:c"],
    [{ sub: "", azp: "a" }, "oidc:a"],
  ])("with %j belongs to %s", async (claims, key) => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    expect((await authenticate(gateway, issuer, await issuer.signToken(claims))).keyName).toBe(key);
  });

  test.each<[Claims, string[]]>([
    [{ scope: "chat" }, ["chat"]],
    [{ scope: "openid moonbridge:admin" }, ["chat", "admin"]],
    [{ scope: "moonbridge:administrator" }, ["chat"]],
    [{ scp: "moonbridge:admin" }, ["chat", "admin"]],
    [{ scp: ["other", "moonbridge:admin"] }, ["chat", "admin"]],
    [{ scope: { admin: true } }, ["chat"]],
    [{ scope: "admin", scp: 7 }, ["chat"]],
  ])("with %j has the scopes %j", async (claims, scopes) => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    expect((await authenticate(gateway, issuer, await issuer.signToken(claims))).scopes).toEqual(scopes);
  });

  test("has the scope admin if it has the scope that the config names for it", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    const scopes = async (scope: string) =>
      (await authenticate(gateway, issuer, await issuer.signToken({ scope }), { adminScope: "boss" })).scopes;
    expect(await scopes("boss")).toEqual(["chat", "admin"]);
    expect(await scopes("moonbridge:admin")).toEqual(["chat"]);
  });

  test("is refused without the scope that the config requires", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer({ scope: "moonbridge:admin" });
    expect((await sendChat(gateway, await issuer.issueToken("moonbridge:admin"))).status).toBe(200);
    expect(await sendChat(gateway, await issuer.issueToken("chat"))).toMatchObject({
      status: 403,
      code: "insufficient_scope",
      message: expect.stringMatching(/moonbridge:admin/),
    });
  });

  test("may have several audiences, and an nbf a few seconds in the future", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    for (const claims of [{ aud: ["other", "moonbridge"] }, { nbf: secondsFromNow(5) }])
      expect((await sendChat(gateway, await issuer.signToken(claims))).status).toBe(200);
  });
});

describe("a token is refused if it is", () => {
  test.each<[string, Claims, RegExp]>([
    [
      "of another issuer",
      { iss: "https://evil.example" },
      /from an issuer that its config.json does not name/,
    ],
    ["for another audience", { aud: "other" }, /“aud”/],
    ["for no audience", { aud: undefined }, /“aud”/],
    ["expired", { exp: secondsFromNow(-60) }, /has expired/],
    ["without an expiry", { exp: undefined }, /“exp”/],
    ["not yet valid", { nbf: secondsFromNow(3_600) }, /“nbf”/],
    ["without a subject", { sub: undefined }, /“sub”/],
    ["for a subject that is too long", { sub: "x".repeat(256) }, /“sub”/],
    ["for a subject of several lines", { sub: "robot\nadmin" }, /“sub”/],
  ])("%s", async (_, claims, message) => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    expect(await sendChat(gateway, await issuer.signToken(claims))).toEqual({
      ...refused,
      message: expect.stringMatching(message),
    });
  });

  test("signed with another key, under the issuer's key id or an unknown one", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    const { privateKey } = await generateKeyPair("RS256");
    const claims = { iss: issuer.url, aud: "moonbridge", sub: "robot", exp: secondsFromNow(600) };
    for (const kid of [issuer.currentKeys().kid, "unknown"]) {
      const token = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid }).sign(privateKey);
      expect(await sendChat(gateway, token)).toMatchObject(refused);
    }
  });

  test("unsigned, or signed with HMAC and the issuer's public key", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    const { kid, publicKey } = issuer.currentKeys();
    const encodePart = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const payload = encodePart({
      iss: issuer.url,
      aud: "moonbridge",
      sub: "robot",
      exp: secondsFromNow(600),
    });
    const { n = "" } = await exportJWK(publicKey);
    const secrets = [await exportSPKI(publicKey), n, Buffer.from(n, "base64url")];
    const hmacTokens = secrets.map((secret) => {
      const signedPart = `${encodePart({ alg: "HS256", kid })}.${payload}`;
      return `${signedPart}.${createHmac("sha256", secret).update(signedPart).digest("base64url")}`;
    });
    for (const token of [`${encodePart({ alg: "none", kid })}.${payload}.`, ...hmacTokens])
      expect(await sendChat(gateway, token)).toMatchObject(refused);
  });

  test("signed with an algorithm that the config does not allow", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer({ algorithms: ["ES256"] });
    expect(await sendChat(gateway, await issuer.issueToken())).toMatchObject(refused);
  });

  test("a valid one with any character changed", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    const authenticator = await Authenticator.open(
      {
        keys: [],
        proxies: new ProxyRules(),
        oauth: { issuer: issuer.url, audience: "moonbridge", adminScope: "x", algorithms: ["RS256"] },
      },
      gateway.store,
    );
    const validToken = await issuer.signToken({});
    const replacement = fc.constantFrom(..."ABab01-_.{} é\0");
    // The last character of a signature has unused bits, so it is not changed.
    const change = fc
      .tuple(fc.nat(validToken.length - 2), replacement)
      .filter(([index, character]) => validToken[index] !== character);
    await fc.assert(
      fc.asyncProperty(change, async ([index, character]) => {
        const token = validToken.slice(0, index) + character + validToken.slice(index + 1);
        await expect(authenticator.authenticate(token)).rejects.toMatchObject({ code: "invalid_api_key" });
      }),
      { numRuns: 300 },
    );
    expect((await authenticator.authenticate(validToken)).principal.keyName).toBe("oidc:robot");
    await authenticator.close();
  });

  test("of an issuer while the config has none", async () => {
    const issuer = await startIssuer();
    const gateway = await startGateway();
    expect(await sendChat(gateway, await issuer.issueToken())).toMatchObject(refused);
    expect(issuer.requests).toEqual(["/token"]);
  });
});

describe("an issuer that cannot be reached", () => {
  const unavailable = { status: 503, code: "issuer_unavailable" };

  test("makes only its own tokens fail, with 503", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    const token = await issuer.issueToken();
    await issuer.stop();
    expect(await sendChat(gateway, token)).toMatchObject({
      ...unavailable,
      message: expect.stringMatching(/API keys work/),
    });
    expect((await sendChat(gateway, apiKey)).status).toBe(200);
    const form = new URLSearchParams({ grant_type: "password", username: "test", password: apiKey });
    const ownToken = JSON.parse(
      await (await fetch(`${gateway.url}/token`, { method: "POST", body: form })).text(),
    );
    expect((await sendChat(gateway, ownToken.access_token)).status).toBe(200);
    await issuer.start();
    expect((await sendChat(gateway, token)).status).toBe(200);
  });

  test("is not called for every token, and the response has a retry-after", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    issuer.respondWith((_request, response) => response.writeHead(500).end());
    const token = await issuer.signToken({});
    for (let n = 0; n < 3 * limits.issuerFetches.tokens; n++)
      expect(await sendChat(gateway, token)).toMatchObject(unavailable);
    expect(issuer.requests.length).toBe(limits.issuerFetches.tokens);
    const response = await postChat(gateway, chatBody("x"), {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(response.headers.get("x-should-retry")).toBeNull();
  });

  test("counts as unavailable if it never responds, and a client that disconnects meanwhile causes no chat", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    issuer.respondWith(() => {});
    const token = await issuer.signToken({});
    const abortController = new AbortController();
    const abortedRequest = postChat(gateway, chatBody("x"), {
      headers: { authorization: `Bearer ${token}` },
      signal: abortController.signal,
    });
    await waitUntil(() => issuer.requests.length === 1);
    abortController.abort();
    await expect(abortedRequest).rejects.toThrow();
    expect(await sendChat(gateway, token)).toMatchObject(unavailable);
    expect(issuer.requests.length).toBe(1);
    expect(gateway.simulator.calls.filter(({ path }) => path.endsWith("/Chat"))).toEqual([]);
  });

  const json = (value: unknown) => JSON.stringify(value);
  test.each<[string, (url: string, path: string) => { status?: number; location?: string; body: string }]>([
    [
      "names another issuer",
      () => ({ body: json({ issuer: "https://evil.example", jwks_uri: "https://evil.example/jwks" }) }),
    ],
    ["names no URL of keys", (url) => ({ body: json({ issuer: url }) })],
    ["names an invalid URL of keys", (url) => ({ body: json({ issuer: url, jwks_uri: "nowhere" }) })],
    ["has invalid keys", (url) => ({ body: json({ issuer: url, jwks_uri: `${url}/jwks`, keys: [7] }) })],
    ["responds with HTML", () => ({ body: "<html>" })],
    ["responds with too large a body", () => ({ body: " ".repeat(limits.issuerBody + 1) })],
    ["redirects", (url) => ({ status: 302, location: `${url}/elsewhere`, body: "" })],
  ])("counts as unavailable if it %s", async (_, respond) => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    const token = await issuer.signToken({});
    issuer.respondWith((request, response) => {
      const { status = 200, location, body } = respond(issuer.url, request.url ?? "");
      response.writeHead(status, location ? { location } : {}).end(body);
    });
    expect(await sendChat(gateway, token)).toMatchObject(unavailable);
    expect(issuer.requests).not.toContain("/elsewhere");
  });
});

describe("an issuer that rotates its keys", () => {
  test("is asked for the new keys when a token names one, and tokens of the old keys are refused", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    const oldToken = await issuer.issueToken();
    expect((await sendChat(gateway, oldToken)).status).toBe(200);
    await issuer.rotateKeys();
    const newToken = await issuer.issueToken();
    expect((await sendChat(gateway, newToken)).status).toBe(200);
    expect(await sendChat(gateway, oldToken)).toMatchObject(refused);
    expect(issuer.requests.filter((path) => path === "/jwks").length).toBeGreaterThan(1);
  });

  test("is not called for every unknown key that tokens name", async () => {
    const { issuer, gateway } = await startGatewayWithIssuer();
    const validToken = await issuer.issueToken();
    expect((await sendChat(gateway, validToken)).status).toBe(200);
    for (let n = 0; n < 4 * limits.issuerFetches.tokens; n++)
      expect(await sendChat(gateway, await issuer.signToken({}, { kid: `strange-${n}` }))).toMatchObject(
        refused,
      );
    expect(issuer.requests.filter((path) => path === "/jwks").length).toBe(limits.issuerFetches.tokens);
    expect((await sendChat(gateway, validToken)).status).toBe(200);
  });
});
