import { expect, test } from "vitest";
import { readQuota } from "../../../src/upstreams/kimi-web/quota.js";

test("the shares of an account's allowances, and when they begin anew (kimi-web.md §2.10)", () => {
  const resetTime = "2026-11-25T12:00:00Z";
  expect(
    readQuota({
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

test("what is not there, switched off or unreadable is left out or counts as unused", () => {
  expect(readQuota({})).toEqual([]);
  expect(readQuota({ ratelimitCode5h: { enabled: false }, ratelimitCode7d: { ratio: "x" } })).toEqual([
    { name: "7 days", used: 0 },
  ]);
});
