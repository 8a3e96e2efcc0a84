/** Rejects with the signal's reason if that fires before `work` settles. The work itself continues for other callers. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const rejectWithReason = () => reject(signal.reason);
    if (signal.aborted) rejectWithReason();
    else signal.addEventListener("abort", rejectWithReason, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", rejectWithReason));
  });
}
