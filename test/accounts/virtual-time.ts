import { onTestFinished, vi } from "vitest";

/** Stops the clocks until the test ends; only `pass` moves them on. */
export function startVirtualTime(): void {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** Lets time pass, one timer after the other, each with all that follows from it. */
export async function pass(milliseconds: number): Promise<void> {
  let isOver = false;
  setTimeout(() => {
    isOver = true;
  }, milliseconds);
  for (await settled(); !isOver; await settled()) vi.advanceTimersToNextTimer();
}

/** Lets as much time pass as something takes that waits for nothing but time. */
export async function untilDone(work: Promise<unknown>): Promise<void> {
  let isDone = false;
  work.finally(() => {
    isDone = true;
  });
  for (await settled(); !isDone; await settled()) vi.advanceTimersToNextTimer();
  await work;
}

/** Lets everything happen that needs no time. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Does something by a clock that is ahead of the machine's. */
export function ahead<T>(milliseconds: number, work: () => T): T {
  const now = Date.now();
  vi.setSystemTime(now + milliseconds);
  try {
    return work();
  } finally {
    vi.setSystemTime(now);
  }
}

/** `node:timers/promises` in virtual time, which vitest's fake timers leave alone. */
export const timersPromises = {
  setTimeout: (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};
