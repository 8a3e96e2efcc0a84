import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { limits } from "../../../src/core/limits.js";
import { Drift } from "../../../src/observability/protocol-drift.js";
import { KimiClient } from "../../../src/upstreams/kimi-web/client.js";
import { refreshWith } from "../../../src/upstreams/kimi-web/refresh.js";

type Answer = [status: number, body: string];

const page: Answer = [200, "<html>Please sign in to this network</html>"];
const pair: Answer = [200, JSON.stringify({ accessToken: "a", refreshToken: "r" })];
const legacyPair: Answer = [200, JSON.stringify({ access_token: "a", refresh_token: "r" })];
const dead: Answer = [401, JSON.stringify({ code: "unauthenticated", message: "invalid claims" })];
const unknown: Answer = [404, JSON.stringify({ code: "not_found" })];
const broken: Answer = [503, "{}"];

/** What a renewal comes to where the account gateway and the legacy endpoint answer like this. */
async function renewed(gateway: Answer, legacy: Answer) {
  const server = createServer((request, response) => {
    const [status, body] = request.url === "/api/auth/token/refresh" ? legacy : gateway;
    response.writeHead(status, { "content-type": body.startsWith("<") ? "text/html" : "application/json" });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  const client = new KimiClient({ baseUrl: url, authUrl: url, silence: limits.unary }, new Drift(() => {}));
  onTestFinished(async () => {
    await client.close();
    server.close();
  });
  return refreshWith(client)("refresh", new AbortController().signal);
}

test.each<[what: string, gateway: Answer, legacy: Answer]>([
  ["the gateway gives a pair", pair, broken],
  ["the legacy endpoint gives one", dead, legacyPair],
  ["the legacy endpoint gives one where a page stands before the gateway", page, legacyPair],
])("%s: it is taken", async (_, gateway, legacy) => {
  expect(await renewed(gateway, legacy)).toEqual({ accessToken: "a", refreshToken: "r" });
});

test.each<[what: string, gateway: Answer, legacy: Answer]>([
  ["both say no", dead, dead],
  ["the gateway says no, and nobody knows the legacy endpoint", dead, unknown],
  ["the gateway says no, and a page stands before the legacy endpoint", dead, page],
])("%s: refused", async (_, gateway, legacy) => {
  expect(await renewed(gateway, legacy)).toBe("refused");
});

test.each<[what: string, gateway: Answer, legacy: Answer, message: RegExp]>([
  ["a sign-in page of the network answers for both", page, page, /sign-in page/],
  ["a page answers for the gateway, and the legacy endpoint says no", page, dead, /sign-in page/],
  ["the gateway is broken", broken, dead, /Kimi/],
])("%s: nobody has to log in for that", async (_, gateway, legacy, message) => {
  await expect(renewed(gateway, legacy)).rejects.toMatchObject({ message: expect.stringMatching(message) });
  await expect(renewed(gateway, legacy)).rejects.not.toMatchObject({ code: "account_login_required" });
});
