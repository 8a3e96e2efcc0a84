import { expect, test } from "vitest";
import { chatBody, postChat, startGateway } from "../../gateway.js";
import { adminJson, requestAdmin } from "./administrator.js";

const limitFields = { requests_per_minute: 5, requests_per_day: 100, tokens_per_day: 5_000, concurrency: 2 };

test("a key is made, shown once, used, changed and revoked", async () => {
  const gateway = await startGateway();
  const use = async () => {
    const headers = { authorization: `Bearer ${created.key}` };
    return (await postChat(gateway, chatBody("sim:say=hello"), { headers })).status;
  };
  const fields = { name: "phone", models: ["kimi"], expires: "2099-12-31", ...limitFields };
  const created = await adminJson(gateway, "POST", "/keys", fields);
  expect(created).toMatchObject({
    ...{ id: "phone", object: "key", origin: "store", scopes: ["chat"], models: ["kimi"], upstreams: null },
    ...{ key: expect.stringMatching(/^sk-moonbridge-/), warning: null, expired: false, last_used_at: null },
    ...{ expires_at: "2100-01-01T00:00:00.000Z", used_today: { requests: 0, tokens: 0 } },
    ...limitFields,
  });
  expect(await use()).toBe(200);
  await expect
    .poll(async () => (await adminJson(gateway, "GET", "/keys")).data)
    .toMatchObject([
      { id: "test", origin: "config", used_today: null },
      { id: "phone", last_used_at: expect.stringMatching(/^\d{4}-/), used_today: { requests: 1 } },
    ]);
  expect(JSON.stringify(await adminJson(gateway, "GET", "/keys"))).not.toContain(created.key);

  const changes = { requests_per_day: null, models: ["*"], scopes: ["admin"], citations: "off" };
  expect(await adminJson(gateway, "PATCH", "/keys/phone", changes)).toMatchObject({
    ...{ requests_per_day: null, models: ["*"], scopes: ["admin"], citations: "off", concurrency: 2 },
    ...{ created_at: created.created_at, expires_at: created.expires_at },
  });
  expect(await use()).toBe(403);

  expect(await adminJson(gateway, "DELETE", "/keys/phone")).toEqual({
    ...{ id: "phone", object: "key", deleted: true },
  });
  expect(await use()).toBe(401);
});

test.each<[string, string, object | undefined, number, RegExp]>([
  ["POST", "/keys", { name: "test" }, 400, /already/],
  ["POST", "/keys", { name: "a b" }, 400, /name/],
  ["POST", "/keys", { name: "a", models: ["no-such-model"] }, 400, /no-such-model/],
  ["POST", "/keys", { name: "a", upstreams: ["you"] }, 400, /upstreams/],
  ["POST", "/keys", { name: "a", requests_per_minute: 0 }, 400, /requestsPerMinute/],
  ["POST", "/keys", { name: "a", expires: "2020-01-01" }, 400, /expires/],
  ["POST", "/keys", { name: "a", key: "sk-own" }, 400, /additional/],
  ["PATCH", "/keys/test", { concurrency: 1 }, 400, /config/],
  ["PATCH", "/keys/none", { concurrency: 1 }, 404, /none/],
  ["DELETE", "/keys/test", undefined, 400, /config/],
  ["DELETE", "/keys/none", undefined, 404, /none/],
])("%s %s with %j is refused with %d", async (method, path, body, status, message) => {
  const response = await requestAdmin(await startGateway(), method, path, body);
  expect([response.status, await response.text()]).toEqual([status, expect.stringMatching(message)]);
});
