import { createHmac } from "node:crypto";
import fc from "fast-check";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { limits } from "../../../../src/core/limits.js";
import { Entrance } from "../../../../src/server/auth/authenticator.js";
import { apiKey, asking, type Gateway, post, startGateway, until } from "../../../gateway.js";
import { type Claims, startIssuer, type TestIssuer } from "../../../issuer.js";

async function startBoth(
  settings: Record<string, unknown> = {},
): Promise<{ issuer: TestIssuer; gateway: Gateway }> {
  const issuer = await startIssuer();
  const gateway = await startGateway({ oauth: { issuer: issuer.url, audience: "moonbridge", ...settings } });
  return { issuer, gateway };
}

async function ask(gateway: Gateway, token: string) {
  const response = await post(gateway, asking("hello"), { headers: { authorization: `Bearer ${token}` } });
  const { error } = JSON.parse(await response.text());
  return { status: response.status, code: error?.code, message: error?.message };
}

/** Who the gateway's configuration takes a token's bearer for. */
async function callerOf(
  gateway: Gateway,
  issuer: TestIssuer,
  token: string,
  settings: { adminScope?: string } = {},
) {
  const entrance = await Entrance.open(
    {
      keys: [],
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
  const { caller } = await entrance.identify(token);
  await entrance.close();
  return caller;
}

const soon = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;
const refused = { status: 401, code: "invalid_api_key" };

describe("a token of the issuer", () => {
  test("opens the server, and its bearer's name is no key's", async () => {
    const { issuer, gateway } = await startBoth();
    expect((await ask(gateway, await issuer.token())).status).toBe(200);
    await until(() => gateway.log().some((line) => line.key === "oidc:robot"));
  });

  test("is checked with the keys that are known already", async () => {
    const { issuer, gateway } = await startBoth();
    const tokens = await Promise.all([issuer.token(), issuer.token(), issuer.token()]);
    const statuses = (await Promise.all(tokens.map((token) => ask(gateway, token)))).map(
      ({ status }) => status,
    );
    expect(statuses).toEqual([200, 200, 200]);
    expect((await ask(gateway, await issuer.token())).status).toBe(200);
    expect(issuer.requests.filter((path) => path === "/jwks").length).toBe(1);
    expect(issuer.requests.filter((path) => path.startsWith("/.well-known")).length).toBe(1);
  });

  test.each<[Claims, string]>([
    [{ sub: "robot" }, "oidc:robot"],
    [{ sub: "test" }, "oidc:test"],
    [{ sub: "", client_id: "c" }, "oidc:c"],
    [{ sub: "", azp: "a" }, "oidc:a"],
  ])("with %j is %s's", async (claims, key) => {
    const { issuer, gateway } = await startBoth();
    expect((await callerOf(gateway, issuer, await issuer.sign(claims))).keyName).toBe(key);
  });

  test.each<[Claims, string[]]>([
    [{ scope: "chat" }, ["chat"]],
    [{ scope: "openid moonbridge:admin" }, ["chat", "admin"]],
    [{ scope: "moonbridge:administrator" }, ["chat"]],
    [{ scp: "moonbridge:admin" }, ["chat", "admin"]],
    [{ scp: ["other", "moonbridge:admin"] }, ["chat", "admin"]],
    [{ scope: { admin: true } }, ["chat"]],
    [{ scope: "admin", scp: 7 }, ["chat"]],
  ])("with %j has %j", async (claims, scopes) => {
    const { issuer, gateway } = await startBoth();
    expect((await callerOf(gateway, issuer, await issuer.sign(claims))).scopes).toEqual(scopes);
  });

  test("has admin by the scope that the config names", async () => {
    const { issuer, gateway } = await startBoth();
    const scopes = async (scope: string) =>
      (await callerOf(gateway, issuer, await issuer.sign({ scope }), { adminScope: "boss" })).scopes;
    expect(await scopes("boss")).toEqual(["chat", "admin"]);
    expect(await scopes("moonbridge:admin")).toEqual(["chat"]);
  });

  test("needs the scope that the config asks for", async () => {
    const { issuer, gateway } = await startBoth({ scope: "moonbridge:admin" });
    expect((await ask(gateway, await issuer.token("moonbridge:admin"))).status).toBe(200);
    expect(await ask(gateway, await issuer.token("chat"))).toMatchObject({
      status: 403,
      code: "insufficient_scope",
      message: expect.stringMatching(/moonbridge:admin/),
    });
  });

  test("may be for several audiences, and from a clock that is a little fast", async () => {
    const { issuer, gateway } = await startBoth();
    for (const claims of [{ aud: ["other", "moonbridge"] }, { nbf: soon(5) }])
      expect((await ask(gateway, await issuer.sign(claims))).status).toBe(200);
  });
});

describe("a token that opens nothing", () => {
  test.each<[string, Claims, RegExp]>([
    [
      "of another issuer",
      { iss: "https://evil.example" },
      /from an issuer that its config.json does not name/,
    ],
    ["for another audience", { aud: "other" }, /“aud”/],
    ["for no audience", { aud: undefined }, /“aud”/],
    ["expired", { exp: soon(-60) }, /has expired/],
    ["without an end", { exp: undefined }, /“exp”/],
    ["not yet valid", { nbf: soon(60) }, /“nbf”/],
    ["of nobody", { sub: undefined }, /“sub”/],
    ["of somebody with an endless name", { sub: "x".repeat(256) }, /“sub”/],
    ["of somebody with a name of several lines", { sub: "robot\nadmin" }, /“sub”/],
  ])("%s", async (_, claims, message) => {
    const { issuer, gateway } = await startBoth();
    expect(await ask(gateway, await issuer.sign(claims))).toEqual({
      ...refused,
      message: expect.stringMatching(message),
    });
  });

  test("signed by somebody else, under the issuer's key's name or an unknown one", async () => {
    const { issuer, gateway } = await startBoth();
    const { privateKey } = await generateKeyPair("RS256");
    const claims = { iss: issuer.url, aud: "moonbridge", sub: "robot", exp: soon(600) };
    for (const kid of [issuer.keys().kid, "unknown"]) {
      const token = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid }).sign(privateKey);
      expect(await ask(gateway, token)).toMatchObject(refused);
    }
  });

  test("with no signature, or HMAC over the issuer's public key", async () => {
    const { issuer, gateway } = await startBoth();
    const { kid, publicKey } = issuer.keys();
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const payload = encoded({ iss: issuer.url, aud: "moonbridge", sub: "robot", exp: soon(600) });
    const { n = "" } = await exportJWK(publicKey);
    const secrets = [await exportSPKI(publicKey), n, Buffer.from(n, "base64url")];
    const byHmac = secrets.map((secret) => {
      const signed = `${encoded({ alg: "HS256", kid })}.${payload}`;
      return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
    });
    for (const token of [`${encoded({ alg: "none", kid })}.${payload}.`, ...byHmac])
      expect(await ask(gateway, token)).toMatchObject(refused);
  });

  test("signed by an algorithm that the config leaves out", async () => {
    const { issuer, gateway } = await startBoth({ algorithms: ["ES256"] });
    expect(await ask(gateway, await issuer.token())).toMatchObject(refused);
  });

  test("whatever is changed in a good one", async () => {
    const { issuer, gateway } = await startBoth();
    const entrance = await Entrance.open(
      {
        keys: [],
        oauth: { issuer: issuer.url, audience: "moonbridge", adminScope: "x", algorithms: ["RS256"] },
      },
      gateway.store,
    );
    const good = await issuer.sign({});
    const other = fc.constantFrom(..."ABab01-_.{} é\0");
    // The last character of a signature has bits that mean nothing.
    const change = fc
      .tuple(fc.nat(good.length - 2), other)
      .filter(([at, character]) => good[at] !== character);
    await fc.assert(
      fc.asyncProperty(change, async ([at, character]) => {
        const token = good.slice(0, at) + character + good.slice(at + 1);
        await expect(entrance.identify(token)).rejects.toMatchObject({ code: "invalid_api_key" });
      }),
      { numRuns: 300 },
    );
    expect((await entrance.identify(good)).caller.keyName).toBe("oidc:robot");
    await entrance.close();
  });

  test("without an issuer in the config", async () => {
    const issuer = await startIssuer();
    const gateway = await startGateway();
    expect(await ask(gateway, await issuer.token())).toMatchObject(refused);
    expect(issuer.requests).toEqual(["/token"]);
  });
});

describe("an issuer that cannot be reached", () => {
  const unavailable = { status: 503, code: "issuer_unavailable" };

  test("shuts its own tokens out and nobody else", async () => {
    const { issuer, gateway } = await startBoth();
    const token = await issuer.token();
    await issuer.stop();
    expect(await ask(gateway, token)).toMatchObject({
      ...unavailable,
      message: expect.stringMatching(/API keys work/),
    });
    expect((await ask(gateway, apiKey)).status).toBe(200);
    const form = new URLSearchParams({ grant_type: "password", username: "test", password: apiKey });
    const own = JSON.parse(
      await (await fetch(`${gateway.url}/token`, { method: "POST", body: form })).text(),
    );
    expect((await ask(gateway, own.access_token)).status).toBe(200);
    await issuer.start();
    expect((await ask(gateway, token)).status).toBe(200);
  });

  test("is not asked for every token, and says when to try again", async () => {
    const { issuer, gateway } = await startBoth();
    issuer.answer((_request, response) => response.writeHead(500).end());
    const token = await issuer.sign({});
    for (let n = 0; n < 3 * limits.issuerFetches.most; n++)
      expect(await ask(gateway, token)).toMatchObject(unavailable);
    expect(issuer.requests.length).toBe(limits.issuerFetches.most);
    const response = await post(gateway, asking("x"), { headers: { authorization: `Bearer ${token}` } });
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(response.headers.get("x-should-retry")).toBeNull();
  });

  test("counts as unavailable when it never answers, and who left meanwhile leaves nothing behind", async () => {
    const { issuer, gateway } = await startBoth();
    issuer.answer(() => {});
    const token = await issuer.sign({});
    const leaving = new AbortController();
    const left = post(gateway, asking("x"), {
      headers: { authorization: `Bearer ${token}` },
      signal: leaving.signal,
    });
    await until(() => issuer.requests.length === 1);
    leaving.abort();
    await expect(left).rejects.toThrow();
    expect(await ask(gateway, token)).toMatchObject(unavailable);
    expect(issuer.requests.length).toBe(1);
    expect(gateway.simulator.calls.filter(({ path }) => path.endsWith("/Chat"))).toEqual([]);
  });

  const json = (value: unknown) => JSON.stringify(value);
  test.each<[string, (url: string, path: string) => { status?: number; location?: string; body: string }]>([
    [
      "is another one",
      () => ({ body: json({ issuer: "https://evil.example", jwks_uri: "https://evil.example/jwks" }) }),
    ],
    ["names no keys", (url) => ({ body: json({ issuer: url }) })],
    ["names keys nowhere", (url) => ({ body: json({ issuer: url, jwks_uri: "nowhere" }) })],
    [
      "has keys that are none",
      (url) => ({ body: json({ issuer: url, jwks_uri: `${url}/jwks`, keys: [7] }) }),
    ],
    ["answers a page", () => ({ body: "<html>" })],
    ["answers without end", () => ({ body: " ".repeat(limits.issuerBody + 1) })],
    ["sends elsewhere", (url) => ({ status: 302, location: `${url}/elsewhere`, body: "" })],
  ])("or %s", async (_, reply) => {
    const { issuer, gateway } = await startBoth();
    const token = await issuer.sign({});
    issuer.answer((request, response) => {
      const { status = 200, location, body } = reply(issuer.url, request.url ?? "");
      response.writeHead(status, location ? { location } : {}).end(body);
    });
    expect(await ask(gateway, token)).toMatchObject(unavailable);
    expect(issuer.requests).not.toContain("/elsewhere");
  });
});

describe("an issuer that rotates its keys", () => {
  test("is asked for them when a token names a new one; the old ones are no good any more", async () => {
    const { issuer, gateway } = await startBoth();
    const before = await issuer.token();
    expect((await ask(gateway, before)).status).toBe(200);
    await issuer.rotate();
    const after = await issuer.token();
    expect((await ask(gateway, after)).status).toBe(200);
    expect(await ask(gateway, before)).toMatchObject(refused);
    expect(issuer.requests.filter((path) => path === "/jwks").length).toBeGreaterThan(1);
  });

  test("is not asked for every strange key that tokens name", async () => {
    const { issuer, gateway } = await startBoth();
    const good = await issuer.token();
    expect((await ask(gateway, good)).status).toBe(200);
    for (let n = 0; n < 4 * limits.issuerFetches.most; n++)
      expect(await ask(gateway, await issuer.sign({}, { kid: `strange-${n}` }))).toMatchObject(refused);
    expect(issuer.requests.filter((path) => path === "/jwks").length).toBe(limits.issuerFetches.most);
    expect((await ask(gateway, good)).status).toBe(200);
  });
});
