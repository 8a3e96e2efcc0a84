import { request } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RefreshFault, type Simulator, startSimulator } from "../../simulator/index.js";
import { ask, parse, question, record, trailer, unary } from "./client.js";

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator();
});
afterEach(() => simulator.close());

const user = "kimi.gateway.account.v1.UserService/GetCurrentUser";

async function refresh(on: Simulator, body: Record<string, string>) {
  const response = await request(`${on.url}/api/account.gateway.v1.AuthService/RefreshToken`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.statusCode, body: record(await response.body.json()) };
}

async function legacyRefresh(on: Simulator, token: string) {
  const response = await request(`${on.url}/api/auth/token/refresh`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: response.statusCode, body: record(await response.body.json()) };
}

function claims(token: string) {
  return parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

test("tokens look like Kimi's and say that they are not", () => {
  const { accessToken, refreshToken } = simulator.issue();
  const access = claims(accessToken);
  expect(access).toMatchObject({ iss: "moonbridge-simulator", typ: "access", app_id: "kimi" });
  expect(Number(access.exp) - Number(access.iat)).toBe(900);
  const later = claims(refreshToken);
  expect(Number(later.exp) - Number(later.iat)).toBe(7_776_000);
});

test("a refresh gives two new tokens, in either spelling, and the old one has its grace", async () => {
  const { accessToken, refreshToken } = simulator.issue({ user: "ada" });
  const first = await refresh(simulator, { refresh_token: refreshToken });
  const second = await refresh(simulator, { refreshToken });
  for (const { status, body } of [first, second]) {
    expect(status).toBe(200);
    expect(body.accessToken).not.toBe(accessToken);
    expect(body.refreshToken).not.toBe(refreshToken);
    expect((await unary(simulator, user, {}, String(body.accessToken))).status).toBe(200);
  }
  expect(simulator.counts().refreshes).toBe(2);
});

test("without grace an exchanged token is dead at once", async () => {
  const strict = await startSimulator({ refreshGraceSeconds: 0 });
  const { refreshToken } = strict.issue();
  const { body } = await refresh(strict, { refresh_token: refreshToken });
  expect(await refresh(strict, { refresh_token: refreshToken })).toMatchObject({
    status: 401,
    body: { code: "unauthenticated", message: "invalid claims" },
  });
  expect((await refresh(strict, { refresh_token: String(body.refreshToken) })).status).toBe(200);
  await strict.close();
});

test("a login of old is known to the legacy endpoint only", async () => {
  const { refreshToken } = simulator.issue({ legacyOnly: true });
  expect((await refresh(simulator, { refresh_token: refreshToken })).status).toBe(401);
  const { status, body } = await legacyRefresh(simulator, refreshToken);
  expect(status).toBe(200);
  expect((await unary(simulator, user, {}, String(body.access_token))).status).toBe(200);
  expect(await legacyRefresh(simulator, "nonsense")).toEqual({
    status: 401,
    body: { error_type: "auth.token.invalid", message: "您的授权已过期，请重新登录" },
  });
  expect(simulator.counts().legacyRefreshes).toBe(2);
});

test("a revoked token is refused everywhere", async () => {
  const { refreshToken } = simulator.issue();
  simulator.revoke(refreshToken);
  expect((await refresh(simulator, { refresh_token: refreshToken })).status).toBe(401);
  expect((await legacyRefresh(simulator, refreshToken)).status).toBe(401);
});

test("an expired token is refused as a trailer on Chat and as 401 elsewhere", async () => {
  const { accessToken, refreshToken } = simulator.issue();
  simulator.expireAccessTokens();
  const frames = await ask(simulator, accessToken, question("hello"));
  expect(frames).toHaveLength(1);
  const error = record(trailer(frames)?.error);
  expect(error).toMatchObject({ code: "unauthenticated", message: "token expired" });
  expect(JSON.stringify(error)).toContain("REASON_INVALID_AUTH_TOKEN");
  expect((await unary(simulator, user, {}, accessToken)).status).toBe(401);

  const { body } = await refresh(simulator, { refresh_token: refreshToken });
  expect(trailer(await ask(simulator, String(body.accessToken), question("hello")))).toEqual({});
});

test("no token, or a refresh token as bearer, is asked to log in", async () => {
  const { refreshToken } = simulator.issue();
  expect(await unary(simulator, user, {})).toMatchObject({
    status: 403,
    body: { code: "permission_denied" },
  });
  expect((await unary(simulator, user, {}, refreshToken)).status).toBe(403);
  expect((await unary(simulator, user, {}, "a.b.c")).status).toBe(401);
});

test("a refresh can fail, be unknown to the gateway, dawdle, or lose its answer", async () => {
  const { refreshToken } = simulator.issue();
  const faults: RefreshFault[] = [{ status: 500 }, { status: 404 }, "drop", { delayMilliseconds: 5 }];
  for (const fault of faults) simulator.faultRefresh(fault);
  expect((await refresh(simulator, { refresh_token: refreshToken })).status).toBe(500);
  expect((await refresh(simulator, { refresh_token: refreshToken })).status).toBe(404);
  expect((await legacyRefresh(simulator, refreshToken)).status).toBe(200);
  await expect(refresh(simulator, { refresh_token: refreshToken })).rejects.toThrow();
  expect((await refresh(simulator, { refresh_token: refreshToken })).status).toBe(200);
});
