import type { JsonObject } from "./json.js";
import type { Person } from "./tokens.js";

/** The answer to GetCurrentUser (kimi-web.md §2.10). */
export function currentUser(person: Person): JsonObject {
  return {
    user: {
      id: person.id,
      nickname: `${person.name} (simulated)`,
      avatar: "",
      phone: {},
      region: "REGION_OVERSEA",
      globalId: person.id,
    },
    workspace: { user: {} },
  };
}

/** The answer to GetSubscriptionStats; ratios that are missing mean 0 (kimi-web.md §2.10). */
export function subscriptionStats(): JsonObject {
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  return {
    subscriptionBalance: {
      id: "simulated",
      feature: "FEATURE_OMNI",
      type: "SUBSCRIPTION",
      unit: "UNIT_CREDIT",
      amountUsedRatio: 0.0319,
      expireTime: inDays(30),
      domain: "DOMAIN_NEXUS",
    },
    ratelimitCode5h: { enabled: true, ratio: 0.1, resetTime: inDays(0.2) },
    ratelimitCode7d: { enabled: true, resetTime: inDays(7) },
  };
}

/** The free tier's 500 MB; int64 travels as a string (kimi-web.md §2.8). */
export function storageQuota(): JsonObject {
  return { quota: { limitBytes: "524288000" } };
}
