import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { limits } from "../../../src/core/limits.js";
import { ProtocolDrift } from "../../../src/observability/protocol-drift.js";
import { KimiClient } from "../../../src/upstreams/kimi-web/client.js";
import { createTokenRefresher } from "../../../src/upstreams/kimi-web/token-refresher.js";

type StubResponse = [status: number, body: string];

const firewallPage: StubResponse = [403, "<html>Blocked by policy</html>"];
const webPage: StubResponse = [200, "<html>Please sign in to this network</html>"];
const pair: StubResponse = [200, JSON.stringify({ accessToken: "a", refreshToken: "r" })];
const legacyPair: StubResponse = [200, JSON.stringify({ access_token: "a", refresh_token: "r" })];
const refusal: StubResponse = [401, JSON.stringify({ code: "unauthenticated", message: "invalid claims" })];
const notFound: StubResponse = [404, JSON.stringify({ code: "not_found" })];
const unavailable: StubResponse = [503, "{}"];

/** The result of a token refresh with these responses of the account gateway and the legacy endpoint. */
async function refresh(gateway: StubResponse, legacy: StubResponse) {
  const server = createServer((request, response) => {
    const [status, body] = request.url === "/api/auth/token/refresh" ? legacy : gateway;
    response.writeHead(status, { "content-type": body.startsWith("<") ? "text/html" : "application/json" });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  const client = new KimiClient(
    { baseUrl: url, authUrl: url, idleTimeout: limits.unary },
    new ProtocolDrift(() => {}),
  );
  onTestFinished(async () => {
    await client.close();
    server.close();
  });
  return createTokenRefresher(client)("refresh", new AbortController().signal);
}

test.each<[what: string, gateway: StubResponse, legacy: StubResponse]>([
  ["the gateway sends a pair", pair, unavailable],
  ["the gateway refuses and the legacy endpoint sends a pair", refusal, legacyPair],
  ["a web page answers for the gateway and the legacy endpoint sends a pair", webPage, legacyPair],
])("returns the new pair if %s", async (_, gateway, legacy) => {
  expect(await refresh(gateway, legacy)).toEqual({ accessToken: "a", refreshToken: "r" });
});

test.each<[what: string, gateway: StubResponse, legacy: StubResponse]>([
  ["both refuse", refusal, refusal],
  ["the gateway refuses and the legacy endpoint does not exist", refusal, notFound],
  ["the gateway refuses and a web page answers for the legacy endpoint", refusal, webPage],
])("returns refused if %s", async (_, gateway, legacy) => {
  expect(await refresh(gateway, legacy)).toBe("refused");
});

test.each<[what: string, gateway: StubResponse, legacy: StubResponse, message: RegExp]>([
  ["a web page answers for both", webPage, webPage, /sign-in page/],
  ["a web page answers for the gateway and the legacy endpoint refuses", webPage, refusal, /sign-in page/],
  ["a firewall's page with status 403 answers for both", firewallPage, firewallPage, /sign-in page/],
  ["the gateway is unavailable", unavailable, refusal, /Kimi/],
])("throws without asking for a login if %s", async (_, gateway, legacy, message) => {
  await expect(refresh(gateway, legacy)).rejects.toMatchObject({ message: expect.stringMatching(message) });
  await expect(refresh(gateway, legacy)).rejects.not.toMatchObject({ code: "account_login_required" });
});
