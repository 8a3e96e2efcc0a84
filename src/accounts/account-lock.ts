import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { CredentialStore } from "../core/store.js";

/** Releases the lock. Never rejects: a lock that cannot be released expires. */
export type ReleaseLock = () => Promise<void>;

/**
 * Acquires the lock under which one process at a time changes the tokens of an account, and extends it until it is
 * released. Throws `upstream_unavailable` if another process holds it for longer than `limits.refreshLockWait`, the
 * store's error if the store fails, and the signal's reason.
 */
export async function acquireAccountLock(
  store: CredentialStore,
  account: string,
  signal?: AbortSignal,
): Promise<ReleaseLock> {
  const lockName = `renew ${account}`;
  const owner = randomUUID();
  const acquire = () => store.acquireLock(lockName, owner, Date.now() + limits.refreshLock);
  const deadline = performance.now() + limits.refreshLockWait;
  while (!(await acquire())) {
    signal?.throwIfAborted();
    if (performance.now() > deadline) throw new GatewayError("upstream_unavailable", lockedElsewhereMessage);
    await setTimeout(limits.refreshLockPoll);
  }
  const extension = setInterval(() => acquire().catch(() => {}), limits.refreshLock / 3);
  return async () => {
    clearInterval(extension);
    await store.releaseLock(lockName, owner).catch(() => {});
  };
}

const lockedElsewhereMessage = "Another Moonbridge process is still renewing this login. Try again.";
