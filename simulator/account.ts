import type { JsonObject } from "./json.js";
import type { Account } from "./tokens.js";

/** The response to GetCurrentUser (kimi-web.md §2.10). */
export function currentUser(account: Account): JsonObject {
  return {
    user: {
      id: account.id,
      nickname: `${account.name} (simulated)`,
      avatar: "",
      phone: {},
      region: "REGION_OVERSEA",
      globalId: account.id,
    },
    workspace: { user: {} },
  };
}

/** The response to GetSubscriptionStats; a missing ratio means 0 (kimi-web.md §2.10). */
export function subscriptionStats(): JsonObject {
  const daysFromNow = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  return {
    subscriptionBalance: {
      id: "simulated",
      feature: "FEATURE_OMNI",
      type: "SUBSCRIPTION",
      unit: "UNIT_CREDIT",
      amountUsedRatio: 0.0319,
      expireTime: daysFromNow(30),
      domain: "DOMAIN_NEXUS",
    },
    ratelimitCode5h: { enabled: true, ratio: 0.1, resetTime: daysFromNow(0.2) },
    ratelimitCode7d: { enabled: true, resetTime: daysFromNow(7) },
  };
}

/** The response to GetUserStorageQuota: the free tier's 500 MB; int64 is encoded as a string (kimi-web.md §2.8). */
export function storageQuota(): JsonObject {
  return { quota: { limitBytes: "524288000" } };
}

/** The response to the GetSubscription of the order service, the token check of several clients (kimi-web.md §2.10). */
export function orderSubscription(account: Account): JsonObject {
  return { subscription: { userId: account.id, userName: `${account.name} (simulated)` } };
}
