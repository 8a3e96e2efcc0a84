import type { Static } from "@sinclair/typebox";
import type { AccountOrigin } from "../../admin/account-admin.js";
import type { AccountReport } from "../../admin/accounts.js";
import { changedCapabilities } from "../../core/capabilities.js";
import type { AccountAnswer } from "./schemas/account.js";
import { isoTime } from "./schemas/field.js";

/** An account on the wire. */
export function accountObject(
  report: AccountReport & { origin: AccountOrigin },
): Static<typeof AccountAnswer> {
  const { upstream, kind, simulated, origin, status, failing, running, waiting } = report;
  return {
    ...{ id: upstream, object: "account", kind, simulated, origin },
    ...{ state: status.state, detail: status.detail },
    until: isoTime("until" in status ? status.until : undefined),
    expires_at: isoTime("expiresAt" in status ? status.expiresAt : undefined),
    failing,
    queue: { running, waiting },
    capabilities: changedCapabilities(report.capabilities ?? []).map(
      ({ name, value, change, assumption: { meaning, fallback, default: byDefault } }) => ({
        ...{ name, value, default: byDefault, source: change.source, changed_at: isoTime(change.changedAt) },
        ...{ meaning, fallback },
      }),
    ),
  };
}
