import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { Accounts } from "../../admin/accounts.js";
import type { CapabilityState } from "../../core/capabilities.js";
import { toGatewayError } from "../../core/errors.js";
import type { Quota } from "../../core/types.js";

/** `GET /v1/accounts`: the state of each account, what it has used, and how many wait for it. */
export function accountsRoute(accounts: Accounts): FastifyPluginAsyncTypebox {
  return async (app) => {
    const schema = { summary: "The accounts: state, expiry, quota, queue", tags: ["accounts"] };
    app.get("/v1/accounts", { schema }, async (request) => {
      const data = accounts.reports().map(async ({ status, running, waiting, ...report }) => ({
        id: report.upstream,
        object: "account",
        kind: report.kind,
        simulated: report.simulated,
        state: status.state,
        detail: status.detail,
        until: isoDate("until" in status ? status.until : undefined),
        expires_at: isoDate("expiresAt" in status ? status.expiresAt : undefined),
        failing: report.failing,
        queue: { running, waiting },
        quota: await quotaOf(accounts, report.upstream, request.stopSignal),
        capabilities: report.capabilities?.map(capabilityObject) ?? null,
      }));
      return { object: "list", data: await Promise.all(data) };
    });
  };
}

/** Null if the upstream has no quotas; `{ error }` if the call fails, so that the other accounts are still listed. */
async function quotaOf(accounts: Accounts, upstream: string, signal: AbortSignal) {
  try {
    return (await accounts.quota(upstream, signal))?.map(quotaObject) ?? null;
  } catch (error) {
    return { error: toGatewayError(error).code };
  }
}

function quotaObject({ name, used, resetsAt }: Quota) {
  return { name, used, resets_at: isoDate(resetsAt) };
}

/** `source` and `changed_at` are null where the default counts (docs/protocol/capabilities.md). */
function capabilityObject({ name, value, change }: CapabilityState) {
  return { name, value, source: change?.source ?? null, changed_at: isoDate(change?.changedAt) };
}

function isoDate(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
