import { describe, expect, test } from "vitest";
import { limits } from "../../../src/core/limits.js";
import { createKey } from "../../../src/server/auth/api-keys.js";
import { network } from "../../../src/server/auth/failed-login-limiter.js";
import { apiKey, type Gateway, startGateway } from "../../gateway.js";

const long = "sk-CANARY-a-key-that-nobody-finds-by-trying";

function list(gateway: Gateway, key: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}`, ...headers } });
}

/** A gateway at which this address has used up its wrong tries. */
async function afterTooMany(): Promise<Gateway> {
  const gateway = await startGateway({ keys: [{ name: "long", key: long }] });
  const tries = Array.from({ length: limits.wrongKeys.most }, (_, n) => list(gateway, `sk-wrong-${n}`));
  expect(new Set((await Promise.all(tries)).map(({ status }) => status))).toEqual(new Set([401]));
  // Where that took long, some are allowed again.
  while ((await list(gateway, "sk-wrong")).status === 401);
  return gateway;
}

describe("after too many wrong keys from one address", () => {
  test("the next wrong one is told to wait", async () => {
    const gateway = await afterTooMany();
    const response = await list(gateway, "sk-wrong");
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({
      error: { code: "rate_limit_exceeded", message: expect.stringMatching(/Too many wrong keys came from/) },
    });
  });

  test("a program on this machine gets in with its right key, short as it is", async () => {
    const gateway = await afterTooMany();
    expect((await list(gateway, apiKey)).status).toBe(200);
    expect((await list(gateway, apiKey, { origin: "http://localhost:3000" })).status).toBe(200);
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
    "a short one is not even looked at with %j: who tries keys could not tell it from a wrong one",
    async (headers) => {
      const gateway = await afterTooMany();
      const [right, wrong] = [await list(gateway, apiKey, headers), await list(gateway, "sk-wrong", headers)];
      expect([right.status, wrong.status]).toEqual([429, 429]);
      const withoutNumbers = async (response: Response) => (await response.text()).replace(/\d+/g, "N");
      expect(await withoutNumbers(right)).toBe(await withoutNumbers(wrong));
    },
  );

  test("one that nobody could find by trying opens from everywhere", async () => {
    const gateway = await afterTooMany();
    const { key, stored } = createKey("stored", { scopes: ["chat"] });
    await gateway.store.addKey(stored);
    const proxied = { "x-forwarded-for": "203.0.113.7" };
    expect((await list(gateway, long, proxied)).status).toBe(200);
    expect((await list(gateway, key, proxied)).status).toBe(200);
  });
});

test("right keys, and requests without one, are no wrong tries", async () => {
  const gateway = await startGateway();
  for (let n = 0; n < limits.wrongKeys.most + 10; n++) {
    expect((await list(gateway, apiKey)).status).toBe(200);
    expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401);
  }
  expect((await list(gateway, "sk-wrong")).status).toBe(401);
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::1", "2001:db8:1:2"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  [undefined, "unknown"],
])("%s is counted as %s", (address, counted) => {
  expect(network(address)).toBe(counted);
});
