import { generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { limits } from "../../../../src/core/limits.js";
import { createKey } from "../../../../src/server/auth/api-keys.js";
import { apiKey, asking, type Gateway, post, startGateway } from "../../../gateway.js";

type Fields = Record<string, string>;

/** As a form, the way every client sends it. */
function requestToken(gateway: Gateway, fields: Fields, headers: Fields = {}): Promise<Response> {
  const body = new URLSearchParams(fields);
  return fetch(`${gateway.url}/token`, { method: "POST", body, headers });
}

const basic = (name: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`,
});
const byCredentials = { grant_type: "client_credentials", client_id: "test", client_secret: apiKey };
const byPassword = { grant_type: "password", username: "test", password: apiKey };

async function tokenOf(gateway: Gateway, fields: Fields = byCredentials): Promise<string> {
  const response = await requestToken(gateway, fields);
  expect(response.status).toBe(200);
  return JSON.parse(await response.text()).access_token;
}

async function ask(gateway: Gateway, token: string) {
  const response = await post(gateway, asking("hello"), { headers: { authorization: `Bearer ${token}` } });
  const { error } = JSON.parse(await response.text());
  return { status: response.status, code: error?.code, message: error?.message };
}

const secretOf = async ({ store }: Gateway) =>
  Buffer.from(await store.secret("access-tokens", () => "none was made"), "base64url");

/** A token like ours, apart from what is changed. */
async function forged(
  gateway: Gateway,
  change: (token: SignJWT) => SignJWT,
  secret?: Buffer,
): Promise<string> {
  const claims = JSON.parse(
    Buffer.from((await tokenOf(gateway)).split(".")[1] ?? "", "base64url").toString(),
  );
  const token = change(new SignJWT(claims).setProtectedHeader({ alg: "HS256" }));
  return token.sign(secret ?? (await secretOf(gateway)));
}

describe("a token", () => {
  test.each<[string, Fields, Fields]>([
    ["client_credentials in the body", byCredentials, {}],
    ["client_credentials by HTTP Basic", { grant_type: "client_credentials" }, basic("test", apiKey)],
    [
      "client_credentials by HTTP Basic in form encoding",
      { grant_type: "client_credentials" },
      basic("test", "sk%2DCANARY%2Dkey"),
    ],
    ["password", byPassword, {}],
    // What the Authorize dialog of swagger-ui sends, and FastAPI's OAuth2PasswordRequestForm takes.
    [
      "password as Swagger's form",
      { ...byPassword, scope: "", client_id: "", client_secret: "" },
      { ...basic("", ""), "x-requested-with": "XMLHttpRequest" },
    ],
  ])("is given for %s and opens what the key opens", async (_, fields, headers) => {
    const gateway = await startGateway();
    const response = await requestToken(gateway, fields, headers);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const answer = JSON.parse(await response.text());
    expect(answer).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: "bearer",
      expires_in: 3_600,
      scope: "chat admin",
    });
    expect((await ask(gateway, answer.access_token)).status).toBe(200);
    for (const header of ["x-api-key", "api-key"]) {
      const models = await fetch(`${gateway.url}/v1/models`, { headers: { [header]: answer.access_token } });
      expect(models.status).toBe(200);
    }
  });

  test("is given for JSON, too", async () => {
    const gateway = await startGateway();
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(byPassword);
    expect((await fetch(`${gateway.url}/token`, { method: "POST", body, headers })).status).toBe(200);
  });

  test("has the scopes that were asked for and no others", async () => {
    const gateway = await startGateway();
    const token = await tokenOf(gateway, { ...byCredentials, scope: "admin" });
    expect(await ask(gateway, token)).toMatchObject({ status: 403, code: "insufficient_scope" });
    const both = JSON.parse(
      await (await requestToken(gateway, { ...byPassword, scope: " admin  chat " })).text(),
    );
    expect(both.scope).toBe("chat admin");
  });

  test("holds its key's limits, together with the key", async () => {
    const key = "sk-CANARY-limited";
    const gateway = await startGateway({
      keys: [{ name: "limited", key, requestsPerMinute: 2, models: ["kimi"] }],
    });
    const token = await tokenOf(gateway, { grant_type: "password", username: "limited", password: key });
    expect((await ask(gateway, token)).status).toBe(200);
    expect((await ask(gateway, key)).status).toBe(200);
    expect((await ask(gateway, token)).status).toBe(429);
  });

  test("goes on with its key's conversation", async () => {
    const gateway = await startGateway();
    const first = JSON.parse(await (await post(gateway, asking("hello"))).text());
    const headers = { authorization: `Bearer ${await tokenOf(gateway)}` };
    const body = asking("and now?", { conversation_id: first.conversation_id });
    expect(JSON.parse(await (await post(gateway, body, { headers })).text()).conversation_id).toBe(
      first.conversation_id,
    );
  });

  test("is known to another server on the same store", async () => {
    const gateway = await startGateway();
    const token = await tokenOf(gateway);
    const { AccessTokens } = await import("../../../../src/server/auth/oauth/access-tokens.js");
    const { KeyRing } = await import("../../../../src/server/auth/api-keys.js");
    const { SqliteStore } = await import("../../../../src/store/sqlite/store.js");
    const store = await SqliteStore.open(gateway.statePath);
    const keys = new KeyRing([{ name: "test", key: apiKey, scopes: ["chat"] }], store);
    const key = await (await AccessTokens.open(store, keys)).keyOf(token);
    // There the key may only chat.
    expect(key).toMatchObject({ name: "test", settings: { scopes: ["chat"] } });
    await store.close();
  });

  test("dies with its key: revoked, replaced or expired", async () => {
    const gateway = await startGateway();
    const add = async (settings: { expires?: number } = {}) => {
      const { key, stored } = createKey("phone", { scopes: ["chat"], ...settings });
      await gateway.store.addKey(stored);
      return tokenOf(gateway, { grant_type: "client_credentials", client_id: "phone", client_secret: key });
    };
    const token = await add();
    expect((await ask(gateway, token)).status).toBe(200);
    await gateway.store.removeKey("phone");
    const dead = { status: 401, code: "invalid_api_key", message: expect.stringMatching(/was revoked/) };
    expect(await ask(gateway, token)).toEqual(dead);
    const newer = await add();
    expect(await ask(gateway, token)).toEqual(dead);
    expect((await ask(gateway, newer)).status).toBe(200);

    const known = await gateway.store.keyByName("phone");
    await gateway.store.removeKey("phone");
    if (known)
      await gateway.store.addKey({ ...known, settings: { scopes: ["chat"], expires: Date.now() - 1 } });
    expect(await ask(gateway, newer)).toMatchObject({
      status: 401,
      message: expect.stringMatching(/expired/),
    });
  });

  test("does not live longer than its key", async () => {
    const gateway = await startGateway();
    const { key, stored } = createKey("phone", { scopes: ["chat"], expires: Date.now() + 600_000 });
    await gateway.store.addKey(stored);
    const response = await requestToken(gateway, {
      grant_type: "password",
      username: "phone",
      password: key,
    });
    const { expires_in } = JSON.parse(await response.text());
    expect(expires_in).toBeGreaterThan(0);
    expect(expires_in).toBeLessThanOrEqual(600);
  });

  test("is not given for a token", async () => {
    const gateway = await startGateway();
    const response = await requestToken(gateway, { ...byPassword, password: await tokenOf(gateway) });
    expect(await response.json()).toMatchObject({ error: "invalid_grant" });
  });
});

describe("a token that is not ours opens nothing", () => {
  test("one that is as ours does", async () => {
    const gateway = await startGateway();
    expect((await ask(gateway, await forged(gateway, (token) => token))).status).toBe(200);
  });

  test.each<[string, (token: SignJWT) => SignJWT, RegExp]>([
    ["expired", (token) => token.setExpirationTime(Math.floor(Date.now() / 1_000) - 1), /has expired/],
    ["of a foreign issuer", (token) => token.setIssuer("https://evil.example"), /issuer/],
    ["for another audience", (token) => token.setAudience("other"), /not one that this Moonbridge issued/],
    ["for another key", (token) => token.setSubject("token"), /revoked/],
  ])("%s", async (_, change, message) => {
    const gateway = await startGateway({ keys: [{ name: "token", key: "12345678" }] });
    expect(await ask(gateway, await forged(gateway, change))).toEqual({
      status: 401,
      code: "invalid_api_key",
      message: expect.stringMatching(message),
    });
  });

  test("signed with another secret, or with the key itself", async () => {
    const gateway = await startGateway();
    for (const secret of [Buffer.alloc(32), Buffer.from(apiKey.padEnd(32))])
      expect((await ask(gateway, await forged(gateway, (token) => token, secret))).status).toBe(401);
  });

  test("tampered with in any part, or without a signature", async () => {
    const gateway = await startGateway();
    const [header = "", payload = "", signature = ""] = (await tokenOf(gateway)).split(".");
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    const { privateKey } = await generateKeyPair("RS256");
    const tampered = [
      [header, encoded({ ...claims, exp: claims.exp + 1 }), signature],
      [header, payload, signature.split("").reverse().join("")],
      [header, payload, ""],
      [encoded({ alg: "none" }), payload, ""],
      [encoded({ alg: "none" }), payload, signature],
      [encoded({ alg: "HS512" }), payload, signature],
      [header, encoded({ iss: "moonbridge" }), signature],
      [header, payload],
    ].map((parts) => parts.join("."));
    const byAnotherAlgorithm = await new SignJWT(claims)
      .setProtectedHeader({ alg: "RS256" })
      .sign(privateKey);
    for (const token of [...tampered, byAnotherAlgorithm])
      expect(await ask(gateway, token)).toMatchObject({ status: 401, code: "invalid_api_key" });
  });
});

describe("a refusal is RFC 6749's", () => {
  test.each<[string, Fields, number, string]>([
    ["no grant", { username: "test", password: apiKey }, 400, "invalid_request"],
    ["another grant", { grant_type: "authorization_code", code: "x" }, 400, "unsupported_grant_type"],
    ["no client", { grant_type: "client_credentials" }, 401, "invalid_client"],
    ["no secret", { grant_type: "client_credentials", client_id: "test" }, 401, "invalid_client"],
    ["a wrong secret", { ...byCredentials, client_secret: "wrong" }, 401, "invalid_client"],
    ["another key's secret", { ...byCredentials, client_id: "other" }, 401, "invalid_client"],
    ["no password", { grant_type: "password", username: "test" }, 400, "invalid_request"],
    ["a wrong password", { ...byPassword, password: "wrong" }, 400, "invalid_grant"],
    ["an unknown name", { ...byPassword, username: "nobody" }, 400, "invalid_grant"],
    [
      "a key that has expired",
      { ...byPassword, username: "old", password: "sk-CANARY-old" },
      400,
      "invalid_grant",
    ],
    ["an unknown scope", { ...byPassword, scope: "chat everything" }, 400, "invalid_scope"],
    [
      "a scope the key lacks",
      { grant_type: "password", username: "small", password: "sk-CANARY-small", scope: "admin" },
      400,
      "invalid_scope",
    ],
    [
      "a body that is too large",
      { ...byPassword, scope: "x".repeat(limits.tokenRequest) },
      413,
      "invalid_request",
    ],
  ])("%s", async (_, fields, status, error) => {
    const gateway = await startGateway({
      keys: [
        { name: "small", key: "sk-CANARY-small" },
        { name: "old", key: "sk-CANARY-old", expires: "2026-01-01" },
      ],
    });
    const response = await requestToken(gateway, fields);
    const body = JSON.parse(await response.text());
    expect([response.status, body.error]).toEqual([status, error]);
    expect(body.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(body.error_description).not.toContain("CANARY");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("www-authenticate")).toBeNull();
  });

  test("a client that came by HTTP Basic is asked for it again", async () => {
    const gateway = await startGateway();
    const grant = { grant_type: "client_credentials" };
    for (const headers of [basic("test", "wrong"), basic("", ""), { authorization: "Basic %%%" }]) {
      const response = await requestToken(gateway, grant, headers);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toMatch(/^Basic realm="moonbridge"/);
      expect(await response.json()).toMatchObject({ error: "invalid_client" });
    }
    const twice = await requestToken(gateway, byCredentials, basic("test", apiKey));
    expect(await twice.json()).toMatchObject({ error: "invalid_request" });
  });

  test.each([
    ["application/x-www-form-urlencoded", "grant_type=password&username=test&username=test&password=x"],
    ["application/x-www-form-urlencoded", ""],
    ["application/json", "{"],
    ["application/json", "[1]"],
    ["application/json", '{"grant_type": ["password"]}'],
    ["application/json", '{"grant_type": "password", "username": {"$ne": ""}, "password": "x"}'],
    ["text/plain", "\u0000"],
  ])("what is no form is an invalid request: %s %j", async (type, body) => {
    const gateway = await startGateway();
    const response = await fetch(`${gateway.url}/token`, {
      method: "POST",
      body,
      headers: { "content-type": type },
    });
    expect([response.status, JSON.parse(await response.text()).error]).toEqual([400, "invalid_request"]);
  });
});

describe("wrong secrets", () => {
  const wrong = { grant_type: "password", username: "long", password: "wrong" };

  async function afterTooMany(fields: Fields): Promise<Gateway> {
    const gateway = await startGateway({
      keys: [{ name: "long", key: "sk-CANARY-a-key-that-nobody-finds-by-trying" }],
    });
    const tries = Array.from({ length: limits.wrongSecrets.most }, () => requestToken(gateway, fields));
    expect(new Set((await Promise.all(tries)).map(({ status }) => status))).toEqual(new Set([400]));
    return gateway;
  }

  test("for one name are told to wait after a few, all at once or one by one", async () => {
    const gateway = await afterTooMany(wrong);
    const response = await requestToken(gateway, wrong);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ error: "temporarily_unavailable" });
    const other = await requestToken(gateway, { ...wrong, username: "nobody" });
    expect(other.status).toBe(400);
  });

  test("for a name that there is not as well", async () => {
    const gateway = await afterTooMany({ ...wrong, username: "nobody" });
    expect((await requestToken(gateway, { ...wrong, username: "nobody" })).status).toBe(429);
    expect((await requestToken(gateway, wrong)).status).toBe(400);
  });

  test("shut a short key out that comes through a proxy, and no long one", async () => {
    const gateway = await afterTooMany({ ...byPassword, password: "wrong" });
    const proxied = { "x-forwarded-for": "203.0.113.7" };
    expect((await requestToken(gateway, byPassword, proxied)).status).toBe(429);
    expect((await requestToken(gateway, byPassword)).status).toBe(200);
    const long = await afterTooMany(wrong);
    const right = { ...wrong, password: "sk-CANARY-a-key-that-nobody-finds-by-trying" };
    expect((await requestToken(long, right, proxied)).status).toBe(200);
  });
});

test("the documentation can authorise with it", async () => {
  const gateway = await startGateway();
  const spec = JSON.parse(await (await fetch(`${gateway.url}/openapi.json`)).text());
  const { flows } = spec.components.securitySchemes.oauth;
  for (const flow of [flows.password, flows.clientCredentials]) {
    expect(new URL(flow.tokenUrl, gateway.url).href).toBe(`${gateway.url}/token`);
    expect(Object.keys(flow.scopes)).toEqual(["chat", "admin"]);
  }
  expect(spec.components.securitySchemes.key).toEqual({ type: "http", scheme: "bearer" });
  expect(spec.security).toEqual([{ key: [] }, { oauth: ["chat"] }]);
  expect(Object.keys(spec.paths["/token"].post.requestBody.content)).toEqual([
    "application/x-www-form-urlencoded",
  ]);
});
