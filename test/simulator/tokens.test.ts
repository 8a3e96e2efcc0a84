import { request } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type RefreshFault, type Simulator, startSimulator } from "../../simulator/index.js";
import { callUnary, chatRequest, parseJson, sendChat, toRecord, trailerOf } from "./client.js";

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator();
});
afterEach(() => simulator.close());

const currentUserMethod = "kimi.gateway.account.v1.UserService/GetCurrentUser";

async function refresh(target: Simulator, body: Record<string, string>) {
  const response = await request(`${target.url}/api/account.gateway.v1.AuthService/RefreshToken`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.statusCode, body: toRecord(await response.body.json()) };
}

async function legacyRefresh(target: Simulator, token: string) {
  const response = await request(`${target.url}/api/auth/token/refresh`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: response.statusCode, body: toRecord(await response.body.json()) };
}

function parseClaims(token: string) {
  return parseJson(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

test("tokens have the form of Kimi's and a simulator issuer", () => {
  const { accessToken, refreshToken } = simulator.issue();
  const access = parseClaims(accessToken);
  expect(access).toMatchObject({ iss: "moonbridge-simulator", typ: "access", app_id: "kimi" });
  expect(Number(access.exp) - Number(access.iat)).toBe(900);
  const refreshClaims = parseClaims(refreshToken);
  expect(Number(refreshClaims.exp) - Number(refreshClaims.iat)).toBe(7_776_000);
});

test("a refresh returns two new tokens, accepts either field name, and leaves the old token valid for a while", async () => {
  const { accessToken, refreshToken } = simulator.issue({ user: "ada" });
  const first = await refresh(simulator, { refresh_token: refreshToken });
  const second = await refresh(simulator, { refreshToken });
  for (const { status, body } of [first, second]) {
    expect(status).toBe(200);
    expect(body.accessToken).not.toBe(accessToken);
    expect(body.refreshToken).not.toBe(refreshToken);
    expect((await callUnary(simulator, currentUserMethod, {}, String(body.accessToken))).status).toBe(200);
  }
  expect(simulator.counts().refreshes).toBe(2);
});

test("without a grace period a used refresh token is invalid at once", async () => {
  const noGrace = await startSimulator({ refreshGraceSeconds: 0 });
  const { refreshToken } = noGrace.issue();
  const { body } = await refresh(noGrace, { refresh_token: refreshToken });
  expect(await refresh(noGrace, { refresh_token: refreshToken })).toMatchObject({
    status: 401,
    body: { code: "unauthenticated", message: "invalid claims" },
  });
  expect((await refresh(noGrace, { refresh_token: String(body.refreshToken) })).status).toBe(200);
  await noGrace.close();
});

test("a legacy-only token is refreshed by the legacy endpoint only", async () => {
  const { refreshToken } = simulator.issue({ legacyOnly: true });
  expect((await refresh(simulator, { refresh_token: refreshToken })).status).toBe(401);
  const { status, body } = await legacyRefresh(simulator, refreshToken);
  expect(status).toBe(200);
  expect((await callUnary(simulator, currentUserMethod, {}, String(body.access_token))).status).toBe(200);
  expect(await legacyRefresh(simulator, "nonsense")).toEqual({
    status: 401,
    body: { error_type: "auth.token.invalid", message: "您的授权已过期，请重新登录" },
  });
  expect(simulator.counts().legacyRefreshes).toBe(2);
});

test("a revoked token is refused by both endpoints", async () => {
  const { refreshToken } = simulator.issue();
  simulator.revoke(refreshToken);
  expect((await refresh(simulator, { refresh_token: refreshToken })).status).toBe(401);
  expect((await legacyRefresh(simulator, refreshToken)).status).toBe(401);
});

test("an expired token is an error trailer on Chat and 401 elsewhere", async () => {
  const { accessToken, refreshToken } = simulator.issue();
  simulator.expireAccessTokens();
  const frames = await sendChat(simulator, accessToken, chatRequest("hello"));
  expect(frames).toHaveLength(1);
  const error = toRecord(trailerOf(frames)?.error);
  expect(error).toMatchObject({ code: "unauthenticated", message: "token expired" });
  expect(JSON.stringify(error)).toContain("REASON_INVALID_AUTH_TOKEN");
  expect((await callUnary(simulator, currentUserMethod, {}, accessToken)).status).toBe(401);

  const { body } = await refresh(simulator, { refresh_token: refreshToken });
  expect(trailerOf(await sendChat(simulator, String(body.accessToken), chatRequest("hello")))).toEqual({});
});

test("a call with no token or a refresh token is 403, with an invalid one 401", async () => {
  const { refreshToken } = simulator.issue();
  expect(await callUnary(simulator, currentUserMethod, {})).toMatchObject({
    status: 403,
    body: { code: "permission_denied" },
  });
  expect((await callUnary(simulator, currentUserMethod, {}, refreshToken)).status).toBe(403);
  expect((await callUnary(simulator, currentUserMethod, {}, "a.b.c")).status).toBe(401);
});

test("faultRefresh gives an error status, a lost response or a delay", async () => {
  const { refreshToken } = simulator.issue();
  const faults: RefreshFault[] = [{ status: 500 }, { status: 404 }, "drop", { delayMilliseconds: 5 }];
  for (const fault of faults) simulator.faultRefresh(fault);
  expect((await refresh(simulator, { refresh_token: refreshToken })).status).toBe(500);
  expect((await refresh(simulator, { refresh_token: refreshToken })).status).toBe(404);
  expect((await legacyRefresh(simulator, refreshToken)).status).toBe(200);
  await expect(refresh(simulator, { refresh_token: refreshToken })).rejects.toThrow();
  expect((await refresh(simulator, { refresh_token: refreshToken })).status).toBe(200);
});
