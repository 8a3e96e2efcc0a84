import { randomUUID } from "node:crypto";
import { capabilityAccount } from "../../../accounts/account-capabilities.js";
import type { CapabilityName } from "../../../core/capabilities.js";
import { Deadline } from "../../../core/deadline.js";
import { type ErrorCode, GatewayError } from "../../../core/errors.js";
import { limits } from "../../../core/limits.js";
import type { Store } from "../../../core/store.js";
import type { KimiWeb } from "../upstream.js";
import { type Check, checks } from "./checks.js";
import { ProbeChats } from "./probe-chats.js";

/**
 * One capability after a probe. `unclear`: the check has not shown it, for instance since it failed with this code. `skipped`:
 * the probe had ended before, with this code.
 */
export type ProbeResult = { name: CapabilityName } & (
  | { outcome: "measured"; value: boolean | number }
  | { outcome: "unclear" | "skipped"; code: string }
);

export type ProbeOptions = {
  store: Store;
  /** Milliseconds between the starts of two messages. */
  pause: number;
  signal: AbortSignal;
};

/** The messages that a whole probe sends. */
export const probeMessages = checks.reduce((sum, { messages }) => sum + messages, 0);

/** Errors after which no further message is sent. */
const endingCodes = new Set<ErrorCode>([
  ...(["quota_exceeded", "rate_limited", "account_busy", "upstream_overloaded"] as const),
  ...(["account_login_required", "upstream_unavailable"] as const),
]);

/**
 * Measures the capabilities of an account with messages of its own, and stores what it finds. Deletes its chats after each
 * check. Throws `account_busy` if another probe of the account runs.
 */
export async function* runProbe(
  upstream: KimiWeb,
  { store, pause, signal }: ProbeOptions,
): AsyncGenerator<ProbeResult> {
  const lock = { name: `probe ${upstream.name}`, owner: randomUUID() };
  const lease = () => store.acquireLock(lock.name, lock.owner, Date.now() + limits.probeLock);
  if ((await lease()) === undefined) throw anotherProbe();
  const chats = new ProbeChats(upstream.calls, { upstream: upstream.name, store, pause });
  let endedBy: string | undefined;
  try {
    await chats.deleteAbandoned();
    for (const check of checks) {
      if (signal.aborted) endedBy = "cancelled";
      if (endedBy !== undefined) {
        for (const name of check.names) yield { name, outcome: "skipped", code: endedBy };
        continue;
      }
      await lease();
      const { results, failure } = await runCheck(check, { chats, upstream, signal });
      await save(results, { store, upstream });
      if (failure && endingCodes.has(failure.code)) endedBy = failure.code;
      yield* results;
    }
  } finally {
    await chats.deleteAll();
    await store.releaseLock(lock.name, lock.owner);
  }
}

async function runCheck(
  check: Check,
  { chats, upstream, signal }: { chats: ProbeChats; upstream: KimiWeb; signal: AbortSignal },
): Promise<{ results: ProbeResult[]; failure: GatewayError | undefined }> {
  const found = new Map<CapabilityName, boolean | number>();
  const deadline = new Deadline(signal, limits.probeCheck, checkTimeout);
  let failure: GatewayError | undefined;
  try {
    const context = { chats, calls: upstream.calls, signal: deadline.signal };
    for await (const [name, value] of check.run(context)) found.set(name, value);
  } catch (error) {
    if (!(error instanceof GatewayError) && !deadline.signal.aborted) throw error;
    failure = error instanceof GatewayError ? error : checkTimeout();
  } finally {
    deadline.clear();
    await chats.deleteAll();
  }
  const code = signal.aborted ? "cancelled" : (failure?.code ?? "not shown");
  const results = check.names.map((name): ProbeResult => {
    const value = found.get(name);
    return value === undefined ? { name, outcome: "unclear", code } : { name, outcome: "measured", value };
  });
  return { results, failure };
}

async function save(
  results: readonly ProbeResult[],
  { store, upstream }: { store: Store; upstream: KimiWeb },
): Promise<void> {
  const account = capabilityAccount(upstream.accountId());
  const measured = results.flatMap((result) =>
    result.outcome === "measured"
      ? [
          {
            ...{ account, name: result.name, value: result.value },
            ...{ source: "probe" as const, changedAt: Date.now() },
          },
        ]
      : [],
  );
  await store.capabilities.saveCapabilities(measured);
}

function anotherProbe(): GatewayError {
  return new GatewayError(
    "account_busy",
    `Another probe of this account is running, or was stopped less than ${limits.probeLock / 60_000} minutes ago. Try again then.`,
  );
}

function checkTimeout(): GatewayError {
  return new GatewayError("timeout", "Kimi has not answered in time for this check.");
}
