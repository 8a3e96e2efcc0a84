import type { Quota } from "../../core/types.js";
import { asObject, asText, type JsonObject } from "../../lib/json.js";
import type { KimiClient } from "./client.js";

const method = "kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats";

/** Quotas by the site's field names, with ours (kimi-web.md §2.10). */
const allowances: [field: string, name: string][] = [
  ["subscriptionBalance", "subscription"],
  ["ratelimitCode5h", "5 hours"],
  ["ratelimitCode7d", "7 days"],
];

/** Fetches the used share of each quota. */
export async function fetchQuota(client: KimiClient, token: string, signal: AbortSignal): Promise<Quota[]> {
  return parseQuota(await client.call(method, {}, token, signal));
}

/** Parses the response of GetSubscriptionStats. A missing share means that nothing is used (kimi-web.md §2.10). */
export function parseQuota(response: JsonObject): Quota[] {
  return allowances.flatMap(([field, name]) => {
    const allowance = asObject(response[field]);
    if (!allowance || allowance.enabled === false) return [];
    const used = Number(allowance.amountUsedRatio ?? allowance.ratio ?? 0);
    const resetsAt = Date.parse(asText(allowance.resetTime) ?? asText(allowance.expireTime) ?? "");
    return [
      {
        name,
        used: Number.isFinite(used) ? Math.min(1, Math.max(0, used)) : 0,
        ...(Number.isFinite(resetsAt) ? { resetsAt } : {}),
      },
    ];
  });
}
