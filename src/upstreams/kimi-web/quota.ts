import type { Quota } from "../../core/types.js";
import { asObject, asText, type JsonObject } from "../../lib/json.js";
import type { KimiClient } from "./client.js";

const method = "kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats";

/** The fields of a response that hold quotas, with our names for them (kimi-web.md §2.10). */
const quotaFields: [field: string, name: string][] = [
  ["subscriptionBalance", "subscription"],
  ["ratelimitCode5h", "5 hours"],
  ["ratelimitCode7d", "7 days"],
];

/** Fetches the used share of each quota of the token's account. Throws GatewayError. */
export async function fetchQuota(client: KimiClient, token: string, signal: AbortSignal): Promise<Quota[]> {
  return parseQuota(await client.call(method, {}, token, signal));
}

/** Parses the response of GetSubscriptionStats. A missing share means that nothing is used (kimi-web.md §2.10). */
export function parseQuota(response: JsonObject): Quota[] {
  return quotaFields.flatMap(([field, name]) => {
    const quota = asObject(response[field]);
    if (!quota || quota.enabled === false) return [];
    const used = Number(quota.amountUsedRatio ?? quota.ratio ?? 0);
    const resetsAt = Date.parse(asText(quota.resetTime) ?? asText(quota.expireTime) ?? "");
    return [
      {
        name,
        used: Number.isFinite(used) ? Math.min(1, Math.max(0, used)) : 0,
        ...(Number.isFinite(resetsAt) ? { resetsAt } : {}),
      },
    ];
  });
}
