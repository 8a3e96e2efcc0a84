import { expect, test } from "vitest";
import { parseQuota } from "../../../src/upstreams/kimi-web/quota.js";

test("parses the used share and the reset time of each quota (kimi-web.md §2.10)", () => {
  const resetTime = "2026-11-25T12:00:00Z";
  expect(
    parseQuota({
      subscriptionBalance: { feature: "FEATURE_OMNI", amountUsedRatio: 0.0319, expireTime: resetTime },
      ratelimitCode5h: { enabled: true, resetTime },
      ratelimitCode7d: { enabled: true, ratio: 1.2 },
    }),
  ).toEqual([
    { name: "subscription", used: 0.0319, resetsAt: Date.parse(resetTime) },
    { name: "5 hours", used: 0, resetsAt: Date.parse(resetTime) },
    { name: "7 days", used: 1 },
  ]);
});

test("leaves out missing and disabled quotas; an unreadable share counts as unused", () => {
  expect(parseQuota({})).toEqual([]);
  expect(parseQuota({ ratelimitCode5h: { enabled: false }, ratelimitCode7d: { ratio: "x" } })).toEqual([
    { name: "7 days", used: 0 },
  ]);
});
