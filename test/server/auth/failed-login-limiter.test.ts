import { describe, expect, test } from "vitest";
import { createApiKey } from "../../../src/core/api-key.js";
import { limits } from "../../../src/core/limits.js";
import { addressPrefix } from "../../../src/server/auth/failed-login-limiter.js";
import { apiKey, type Gateway, startGateway } from "../../gateway.js";

const longKey = "sk-CANARY-a-key-that-nobody-finds-by-trying";

function listModels(gateway: Gateway, key: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}`, ...headers } });
}

/** A gateway that has refused as many wrong keys from this address as it allows. */
async function startGatewayWithFailedLogins(): Promise<Gateway> {
  const gateway = await startGateway({ keys: [{ name: "long", key: longKey }] });
  const attempts = Array.from({ length: limits.failedLogins.tokens }, (_, n) =>
    listModels(gateway, `sk-wrong-${n}`),
  );
  expect(new Set((await Promise.all(attempts)).map(({ status }) => status))).toEqual(new Set([401]));
  // If that took long, some attempts are allowed again.
  while ((await listModels(gateway, "sk-wrong")).status === 401);
  return gateway;
}

describe("after too many wrong keys from an address", () => {
  test("a further wrong key gets 429 and a retry-after", async () => {
    const gateway = await startGatewayWithFailedLogins();
    const response = await listModels(gateway, "sk-wrong");
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({
      error: { code: "rate_limit_exceeded", message: expect.stringMatching(/Too many wrong keys came from/) },
    });
  });

  test("a program on this machine is accepted with a right key, even a short one", async () => {
    const gateway = await startGatewayWithFailedLogins();
    expect((await listModels(gateway, apiKey)).status).toBe(200);
    expect((await listModels(gateway, apiKey, { origin: "http://localhost:3000" })).status).toBe(200);
  });

  test.each<Record<string, string>>([
    { "x-forwarded-for": "127.0.0.1" },
    { forwarded: "for=127.0.0.1" },
    { "x-real-ip": "127.0.0.1" },
    { via: "1.1 nginx" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "https://localhost.evil.example" },
  ])(
    "a right short key with %j gets the same response as a wrong one, so that trying keys reveals nothing",
    async (headers) => {
      const gateway = await startGatewayWithFailedLogins();
      const [right, wrong] = [
        await listModels(gateway, apiKey, headers),
        await listModels(gateway, "sk-wrong", headers),
      ];
      expect([right.status, wrong.status]).toEqual([429, 429]);
      const withoutNumbers = async (response: Response) => (await response.text()).replace(/\d+/g, "N");
      expect(await withoutNumbers(right)).toBe(await withoutNumbers(wrong));
    },
  );

  test("a key too long to be guessed is accepted from everywhere", async () => {
    const gateway = await startGatewayWithFailedLogins();
    const { key, stored } = createApiKey("stored", { scopes: ["chat"] });
    await gateway.store.addKey(stored);
    const proxyHeaders = { "x-forwarded-for": "203.0.113.7" };
    expect((await listModels(gateway, longKey, proxyHeaders)).status).toBe(200);
    expect((await listModels(gateway, key, proxyHeaders)).status).toBe(200);
  });
});

test("right keys and requests without a key do not count as failed logins", async () => {
  const gateway = await startGateway();
  for (let n = 0; n < limits.failedLogins.tokens + 10; n++) {
    expect((await listModels(gateway, apiKey)).status).toBe(200);
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401);
  }
  expect((await listModels(gateway, "sk-wrong")).status).toBe(401);
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::1", "2001:db8:1:2"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  [undefined, "unknown"],
])("failed logins from %s count for %s", (address, prefix) => {
  expect(addressPrefix(address)).toBe(prefix);
});
