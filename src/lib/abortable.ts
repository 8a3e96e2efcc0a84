import { setTimeout } from "node:timers/promises";

/**
 * `work`, or a rejection with the signal's reason if that fires first. Does not stop `work`, which others may await
 * too.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const rejectWithReason = () => reject(signal.reason);
    if (signal.aborted) rejectWithReason();
    else signal.addEventListener("abort", rejectWithReason, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", rejectWithReason));
  });
}

/** Resolves after this time. Rejects with the signal's own reason, not an AbortError, if that fires first. */
export async function abortableSleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
}
