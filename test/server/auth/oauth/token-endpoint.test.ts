import { generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { createApiKey } from "../../../../src/core/api-key.js";
import { limits } from "../../../../src/core/limits.js";
import { apiKey, chatBody, type Gateway, postChat, startGateway } from "../../../gateway.js";

type Fields = Record<string, string>;

/** Posts the fields as a form. */
function requestToken(gateway: Gateway, fields: Fields, headers: Fields = {}): Promise<Response> {
  const body = new URLSearchParams(fields);
  return fetch(`${gateway.url}/token`, { method: "POST", body, headers });
}

const basicAuth = (name: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`,
});
const credentialsGrant = { grant_type: "client_credentials", client_id: "test", client_secret: apiKey };
const passwordGrant = { grant_type: "password", username: "test", password: apiKey };

async function issueToken(gateway: Gateway, fields: Fields = credentialsGrant): Promise<string> {
  const response = await requestToken(gateway, fields);
  expect(response.status).toBe(200);
  return JSON.parse(await response.text()).access_token;
}

async function sendChat(gateway: Gateway, token: string) {
  const response = await postChat(gateway, chatBody("hello"), {
    headers: { authorization: `Bearer ${token}` },
  });
  const { error } = JSON.parse(await response.text());
  return { status: response.status, code: error?.code, message: error?.message };
}

const readSigningSecret = async ({ store }: Gateway) =>
  Buffer.from(await store.getOrCreateSecret("access-tokens", () => "none was made"), "base64url");

/** A token with the claims of a valid one after `change`, signed with the gateway's secret or another. */
async function forgeToken(
  gateway: Gateway,
  change: (token: SignJWT) => SignJWT,
  secret?: Buffer,
): Promise<string> {
  const claims = JSON.parse(
    Buffer.from((await issueToken(gateway)).split(".")[1] ?? "", "base64url").toString(),
  );
  const token = change(new SignJWT(claims).setProtectedHeader({ alg: "HS256" }));
  return token.sign(secret ?? (await readSigningSecret(gateway)));
}

describe("an access token", () => {
  test.each<[string, Fields, Fields]>([
    ["client_credentials in the body", credentialsGrant, {}],
    ["client_credentials by HTTP Basic", { grant_type: "client_credentials" }, basicAuth("test", apiKey)],
    [
      "client_credentials by HTTP Basic in form encoding",
      { grant_type: "client_credentials" },
      basicAuth("test", "sk%2DCANARY%2Dkey"),
    ],
    ["password", passwordGrant, {}],
    // What the Authorize dialog of swagger-ui sends, and FastAPI's OAuth2PasswordRequestForm takes.
    [
      "password as Swagger's form",
      { ...passwordGrant, scope: "", client_id: "", client_secret: "" },
      { ...basicAuth("", ""), "x-requested-with": "XMLHttpRequest" },
    ],
  ])("is issued for %s and is accepted where the key is", async (_, fields, headers) => {
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
    expect((await sendChat(gateway, answer.access_token)).status).toBe(200);
    for (const header of ["x-api-key", "api-key"]) {
      const models = await fetch(`${gateway.url}/v1/models`, { headers: { [header]: answer.access_token } });
      expect(models.status).toBe(200);
    }
  });

  test("is issued for a JSON body too", async () => {
    const gateway = await startGateway();
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(passwordGrant);
    expect((await fetch(`${gateway.url}/token`, { method: "POST", body, headers })).status).toBe(200);
  });

  test("has only the requested scopes", async () => {
    const gateway = await startGateway();
    const token = await issueToken(gateway, { ...credentialsGrant, scope: "admin" });
    expect(await sendChat(gateway, token)).toMatchObject({ status: 403, code: "insufficient_scope" });
    const both = JSON.parse(
      await (await requestToken(gateway, { ...passwordGrant, scope: " admin  chat " })).text(),
    );
    expect(both.scope).toBe("chat admin");
  });

  test("shares the limits of its key", async () => {
    const key = "sk-CANARY-limited";
    const gateway = await startGateway({
      keys: [{ name: "limited", key, requestsPerMinute: 2, models: ["kimi"] }],
    });
    const token = await issueToken(gateway, { grant_type: "password", username: "limited", password: key });
    expect((await sendChat(gateway, token)).status).toBe(200);
    expect((await sendChat(gateway, key)).status).toBe(200);
    expect((await sendChat(gateway, token)).status).toBe(429);
  });

  test("continues conversations of its key", async () => {
    const gateway = await startGateway();
    const first = JSON.parse(await (await postChat(gateway, chatBody("hello"))).text());
    const headers = { authorization: `Bearer ${await issueToken(gateway)}` };
    const body = chatBody("and now?", { conversation_id: first.conversation_id });
    expect(JSON.parse(await (await postChat(gateway, body, { headers })).text()).conversation_id).toBe(
      first.conversation_id,
    );
  });

  test("is accepted by another server with the same store", async () => {
    const gateway = await startGateway();
    const token = await issueToken(gateway);
    const { AccessTokens } = await import("../../../../src/server/auth/oauth/access-tokens.js");
    const { ApiKeys } = await import("../../../../src/server/auth/api-keys.js");
    const { openStore } = await import("../../../../src/store/open-store.js");
    const store = await openStore({ store: { kind: "sqlite", path: gateway.storePath }, encryptionKeys: [] });
    const keys = new ApiKeys([{ name: "test", key: apiKey, scopes: ["chat"] }], store);
    const key = await (await AccessTokens.open(store, keys)).verify(token);
    // On that server the key has only the scope chat.
    expect(key).toMatchObject({ name: "test", settings: { scopes: ["chat"] } });
    await store.close();
  });

  test("is refused once its key is revoked, replaced or expired", async () => {
    const gateway = await startGateway();
    const addKeyAndIssueToken = async (settings: { expires?: number } = {}) => {
      const { key, stored } = createApiKey("phone", { scopes: ["chat"], ...settings });
      await gateway.store.addKey(stored);
      return issueToken(gateway, {
        grant_type: "client_credentials",
        client_id: "phone",
        client_secret: key,
      });
    };
    const token = await addKeyAndIssueToken();
    expect((await sendChat(gateway, token)).status).toBe(200);
    await gateway.store.removeKey("phone");
    const revoked = { status: 401, code: "invalid_api_key", message: expect.stringMatching(/was revoked/) };
    expect(await sendChat(gateway, token)).toEqual(revoked);
    const newToken = await addKeyAndIssueToken();
    expect(await sendChat(gateway, token)).toEqual(revoked);
    expect((await sendChat(gateway, newToken)).status).toBe(200);

    const storedKey = await gateway.store.findKeyByName("phone");
    await gateway.store.removeKey("phone");
    if (storedKey)
      await gateway.store.addKey({ ...storedKey, settings: { scopes: ["chat"], expires: Date.now() - 1 } });
    expect(await sendChat(gateway, newToken)).toMatchObject({
      status: 401,
      message: expect.stringMatching(/expired/),
    });
  });

  test("does not outlive its key", async () => {
    const gateway = await startGateway();
    const { key, stored } = createApiKey("phone", { scopes: ["chat"], expires: Date.now() + 600_000 });
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

  test("is not issued for another access token", async () => {
    const gateway = await startGateway();
    const response = await requestToken(gateway, { ...passwordGrant, password: await issueToken(gateway) });
    expect(await response.json()).toMatchObject({ error: "invalid_grant" });
  });
});

describe("a forged token", () => {
  test("with the claims and the signature of a valid one is accepted", async () => {
    const gateway = await startGateway();
    expect((await sendChat(gateway, await forgeToken(gateway, (token) => token))).status).toBe(200);
  });

  test.each<[string, (token: SignJWT) => SignJWT, RegExp]>([
    ["expired", (token) => token.setExpirationTime(Math.floor(Date.now() / 1_000) - 1), /has expired/],
    ["of a foreign issuer", (token) => token.setIssuer("https://evil.example"), /issuer/],
    ["for another audience", (token) => token.setAudience("other"), /not one that this Moonbridge issued/],
    ["for another key", (token) => token.setSubject("token"), /revoked/],
  ])("that is %s is refused", async (_, change, message) => {
    const gateway = await startGateway({ keys: [{ name: "token", key: "12345678" }] });
    expect(await sendChat(gateway, await forgeToken(gateway, change))).toEqual({
      status: 401,
      code: "invalid_api_key",
      message: expect.stringMatching(message),
    });
  });

  test("that is signed with another secret, or with the API key, is refused", async () => {
    const gateway = await startGateway();
    for (const secret of [Buffer.alloc(32), Buffer.from(apiKey.padEnd(32))])
      expect((await sendChat(gateway, await forgeToken(gateway, (token) => token, secret))).status).toBe(401);
  });

  test("that is changed in any part, or unsigned, is refused", async () => {
    const gateway = await startGateway();
    const [header = "", payload = "", signature = ""] = (await issueToken(gateway)).split(".");
    const encodePart = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    const { privateKey } = await generateKeyPair("RS256");
    const tampered = [
      [header, encodePart({ ...claims, exp: claims.exp + 1 }), signature],
      [header, payload, signature.split("").reverse().join("")],
      [header, payload, ""],
      [encodePart({ alg: "none" }), payload, ""],
      [encodePart({ alg: "none" }), payload, signature],
      [encodePart({ alg: "HS512" }), payload, signature],
      [header, encodePart({ iss: "moonbridge" }), signature],
      [header, payload],
    ].map((parts) => parts.join("."));
    const signedWithRsa = await new SignJWT(claims).setProtectedHeader({ alg: "RS256" }).sign(privateKey);
    for (const token of [...tampered, signedWithRsa])
      expect(await sendChat(gateway, token)).toMatchObject({ status: 401, code: "invalid_api_key" });
  });
});

describe("the error response of RFC 6749", () => {
  test.each<[string, Fields, number, string]>([
    ["no grant", { username: "test", password: apiKey }, 400, "invalid_request"],
    ["another grant", { grant_type: "authorization_code", code: "x" }, 400, "unsupported_grant_type"],
    ["no client", { grant_type: "client_credentials" }, 401, "invalid_client"],
    ["no secret", { grant_type: "client_credentials", client_id: "test" }, 401, "invalid_client"],
    ["a wrong secret", { ...credentialsGrant, client_secret: "wrong" }, 401, "invalid_client"],
    ["another key's secret", { ...credentialsGrant, client_id: "other" }, 401, "invalid_client"],
    ["no password", { grant_type: "password", username: "test" }, 400, "invalid_request"],
    ["a wrong password", { ...passwordGrant, password: "wrong" }, 400, "invalid_grant"],
    ["an unknown name", { ...passwordGrant, username: "nobody" }, 400, "invalid_grant"],
    [
      "a key that has expired",
      { ...passwordGrant, username: "old", password: "sk-CANARY-old" },
      400,
      "invalid_grant",
    ],
    ["an unknown scope", { ...passwordGrant, scope: "chat everything" }, 400, "invalid_scope"],
    [
      "a scope the key lacks",
      { grant_type: "password", username: "small", password: "sk-CANARY-small", scope: "admin" },
      400,
      "invalid_scope",
    ],
    [
      "a body that is too large",
      { ...passwordGrant, scope: "x".repeat(limits.tokenRequest) },
      413,
      "invalid_request",
    ],
  ])("for %s", async (_, fields, status, error) => {
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

  test("asks a client that used HTTP Basic for it again", async () => {
    const gateway = await startGateway();
    const grant = { grant_type: "client_credentials" };
    for (const headers of [basicAuth("test", "wrong"), basicAuth("", ""), { authorization: "Basic %%%" }]) {
      const response = await requestToken(gateway, grant, headers);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toMatch(/^Basic realm="moonbridge"/);
      expect(await response.json()).toMatchObject({ error: "invalid_client" });
    }
    const doubleCredentials = await requestToken(gateway, credentialsGrant, basicAuth("test", apiKey));
    expect(await doubleCredentials.json()).toMatchObject({ error: "invalid_request" });
  });

  test.each([
    ["application/x-www-form-urlencoded", "grant_type=password&username=test&username=test&password=x"],
    ["application/x-www-form-urlencoded", ""],
    ["application/json", "{"],
    ["application/json", "[1]"],
    ["application/json", '{"grant_type": ["password"]}'],
    ["application/json", '{"grant_type": "password", "username": {"$ne": ""}, "password": "x"}'],
    ["text/plain", "\u0000"],
  ])("is invalid_request for %s %j", async (type, body) => {
    const gateway = await startGateway();
    const response = await fetch(`${gateway.url}/token`, {
      method: "POST",
      body,
      headers: { "content-type": type },
    });
    expect([response.status, JSON.parse(await response.text()).error]).toEqual([400, "invalid_request"]);
  });
});

describe("after too many wrong secrets", () => {
  const wrongSecret = { grant_type: "password", username: "long", password: "wrong" };

  async function startGatewayWithFailures(fields: Fields): Promise<Gateway> {
    const gateway = await startGateway({
      keys: [{ name: "long", key: "sk-CANARY-a-key-that-nobody-finds-by-trying" }],
    });
    const attempts = Array.from({ length: limits.failedTokenRequests.tokens }, () =>
      requestToken(gateway, fields),
    );
    expect(new Set((await Promise.all(attempts)).map(({ status }) => status))).toEqual(new Set([400]));
    return gateway;
  }

  test("for a name, further ones get 429, and other names are not affected", async () => {
    const gateway = await startGatewayWithFailures(wrongSecret);
    const response = await requestToken(gateway, wrongSecret);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ error: "temporarily_unavailable" });
    const other = await requestToken(gateway, { ...wrongSecret, username: "nobody" });
    expect(other.status).toBe(400);
  });

  test("for an unknown name, further ones get 429 too", async () => {
    const gateway = await startGatewayWithFailures({ ...wrongSecret, username: "nobody" });
    expect((await requestToken(gateway, { ...wrongSecret, username: "nobody" })).status).toBe(429);
    expect((await requestToken(gateway, wrongSecret)).status).toBe(400);
  });

  test("a right short key is refused through a proxy, and a long one is accepted", async () => {
    const gateway = await startGatewayWithFailures({ ...passwordGrant, password: "wrong" });
    const proxyHeaders = { "x-forwarded-for": "203.0.113.7" };
    expect((await requestToken(gateway, passwordGrant, proxyHeaders)).status).toBe(429);
    expect((await requestToken(gateway, passwordGrant)).status).toBe(200);
    const otherGateway = await startGatewayWithFailures(wrongSecret);
    const rightSecret = { ...wrongSecret, password: "sk-CANARY-a-key-that-nobody-finds-by-trying" };
    expect((await requestToken(otherGateway, rightSecret, proxyHeaders)).status).toBe(200);
  });
});

test("the documentation declares the token endpoint for its Authorize dialog", async () => {
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
