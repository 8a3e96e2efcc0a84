import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { CredentialStore } from "../core/store.js";

/** A lock that is held. `fence`: its token, which a save under it carries. */
export type AccountLock = {
  fence: number;
  /** Never rejects: a lock that cannot be released expires. */
  release(): Promise<void>;
};

/**
 * Acquires the lock under which one process at a time changes the tokens of an account, and extends it until it is
 * released. Throws `upstream_unavailable` if another process holds it for longer than `limits.refreshLockWait`, the
 * store's error if the store fails, and the signal's reason.
 */
export async function acquireAccountLock(
  store: CredentialStore,
  account: string,
  signal?: AbortSignal,
): Promise<AccountLock> {
  const lockName = `renew ${account}`;
  const owner = randomUUID();
  const acquire = () => store.acquireLock(lockName, owner, Date.now() + limits.refreshLock);
  const deadline = performance.now() + limits.refreshLockWait;
  let fence = await acquire();
  while (fence === undefined) {
    signal?.throwIfAborted();
    if (performance.now() > deadline) throw new GatewayError("upstream_unavailable", lockedElsewhereMessage);
    await setTimeout(limits.refreshLockPoll);
    fence = await acquire();
  }
  // A lock that was lost and acquired again has another token; saves go on to carry the first one.
  const extension = setInterval(() => acquire().catch(() => {}), limits.refreshLock / 3);
  const release = async () => {
    clearInterval(extension);
    await store.releaseLock(lockName, owner).catch(() => {});
  };
  return { fence, release };
}

export const lockedElsewhereMessage = "Another Moonbridge process is still renewing this login. Try again.";
