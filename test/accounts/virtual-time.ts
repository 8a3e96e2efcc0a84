import { onTestFinished, vi } from "vitest";

/** Fakes timers and clocks until the test ends; `advance` and `advanceUntilDone` move them. */
export function startVirtualTime(): void {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** Advances time timer by timer, and settles the work that each one triggers. */
export async function advance(milliseconds: number): Promise<void> {
  let isOver = false;
  setTimeout(() => {
    isOver = true;
  }, milliseconds);
  for (await flushImmediates(); !isOver; await flushImmediates()) vi.advanceTimersToNextTimer();
}

/** Advances time until `work` settles; it must only wait for timers. */
export async function advanceUntilDone(work: Promise<unknown>): Promise<void> {
  let isDone = false;
  work.finally(() => {
    isDone = true;
  });
  for (await flushImmediates(); !isDone; await flushImmediates()) vi.advanceTimersToNextTimer();
  await work;
}

/** Waits for pending promises and I/O callbacks. */
export function flushImmediates(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Runs `work` with the clock set ahead. */
export function withClockAhead<T>(milliseconds: number, work: () => T): T {
  const now = Date.now();
  vi.setSystemTime(now + milliseconds);
  try {
    return work();
  } finally {
    vi.setSystemTime(now);
  }
}

/** `node:timers/promises` on the fake timers, since vitest does not fake that module. */
export const timersPromises = {
  setTimeout: (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};
