/** What the work resolves to, unless the signal fires first: its reason then, while the work goes on for others. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const rejectWithReason = () => reject(signal.reason);
    if (signal.aborted) rejectWithReason();
    else signal.addEventListener("abort", rejectWithReason, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", rejectWithReason));
  });
}
