import { describe, expect, test } from "vitest";
import { AccountQueue, type QueueOptions } from "../../src/accounts/account-queue.js";
import { GatewayError } from "../../src/core/errors.js";
import type { Slot, WaitLimits } from "../../src/lib/slot-queue.js";

const neverAborts = () => new AbortController().signal;

function createQueue(options: Partial<QueueOptions & WaitLimits> = {}): AccountQueue {
  const { depth = 100, maxWait = 60_000, ...others } = options;
  return new AccountQueue({ concurrency: 1, waitLimits: () => ({ depth, maxWait }), ...others });
}

/** Kimi's rate limit. */
const limited = (retryAfterSeconds: number) =>
  new GatewayError("rate_limited", "Too fast.", { retryAfterSeconds, upstreamCode: "RATE" });

/** Waits for the next event loop iteration. */
const nextIteration = () => new Promise((resolve) => setImmediate(resolve));

describe("order", () => {
  test("serves requests first in, first out, up to the concurrency limit", async () => {
    const queue = createQueue({ concurrency: 2 });
    const slots: Slot[] = [await queue.acquire("a", neverAborts()), await queue.acquire("a", neverAborts())];
    const served: number[] = [];
    const waiting = [1, 2, 3].map(async (name) => {
      slots.push(await queue.acquire("a", neverAborts()));
      served.push(name);
    });
    await nextIteration();
    expect(served).toEqual([]);
    expect(queue.state).toMatchObject({ running: 2, waiting: 3 });
    slots[0]?.release();
    slots[0]?.release();
    await nextIteration();
    expect(served).toEqual([1]);
    for (const slot of slots) slot.release();
    await nextIteration();
    slots.at(-1)?.release();
    await Promise.all(waiting);
    expect(served).toEqual([1, 2, 3]);
  });

  test("alternates between keys: a key with fifty requests delays another key by one answer", async () => {
    const queue = createQueue();
    const served: string[] = [];
    const answer = async (key: string) => {
      const slot = await queue.acquire(key, neverAborts());
      served.push(key);
      await nextIteration();
      slot.release();
    };
    const all = Array.from({ length: 50 }, () => answer("A"));
    await nextIteration();
    await Promise.all([...all, answer("B")]);
    expect(served.indexOf("B")).toBeGreaterThanOrEqual(1);
    expect(served.indexOf("B")).toBeLessThanOrEqual(2);
    expect(served.length).toBe(51);
  });

  test("removes aborted requests, and the others keep their positions", async () => {
    const queue = createQueue({ depth: 2_000 });
    const slot = await queue.acquire("a", neverAborts());
    const abortControllers = Array.from({ length: 1_000 }, () => new AbortController());
    const aborted = abortControllers.map((controller, at) =>
      queue.acquire(`key ${at % 7}`, controller.signal),
    );
    const remaining = queue.acquire("b", neverAborts());
    const settled = Promise.allSettled(aborted);
    for (const controller of abortControllers) controller.abort(new Error("left"));
    expect((await settled).every(({ status }) => status === "rejected")).toBe(true);
    expect(queue.state).toMatchObject({ running: 1, waiting: 1 });
    slot.release();
    (await remaining).release();
    expect(queue.state).toMatchObject({ running: 0, waiting: 0, pause: undefined });
  });

  test("rejects a request whose signal is aborted already", async () => {
    await expect(createQueue().acquire("a", AbortSignal.abort(new Error("left")))).rejects.toThrow("left");
  });
});

describe("limits", () => {
  test("rejects a request with retryAfterSeconds if the queue is full", async () => {
    const queue = createQueue({ depth: 2 });
    const slot = await queue.acquire("a", neverAborts());
    const waiting = [queue.acquire("a", neverAborts()), queue.acquire("b", neverAborts())];
    const refused = await queue.acquire("c", neverAborts()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "account_busy", status: 429, retryable: true });
    expect(refused instanceof GatewayError ? refused.retryAfterSeconds : 0).toBeGreaterThan(0);
    slot.release();
    for (const each of waiting) (await each).release();
  });

  test("rejects a request that has waited for maxWait", async () => {
    const queue = createQueue({ maxWait: 20 });
    const slot = await queue.acquire("a", neverAborts());
    await expect(queue.acquire("a", neverAborts())).rejects.toMatchObject({ code: "account_busy" });
    expect(queue.state.waiting).toBe(0);
    slot.release();
  });

  test("derives retryAfterSeconds from the duration of answers", async () => {
    const retryAfterSeconds = async (answers: number) => {
      const queue = createQueue({ depth: 0 });
      for (let n = 0; n < answers; n++) (await queue.acquire("a", neverAborts())).release();
      await queue.acquire("a", neverAborts());
      const refused = await queue.acquire("a", neverAborts()).catch((error: unknown) => error);
      return refused instanceof GatewayError ? refused.retryAfterSeconds : undefined;
    };
    expect(await retryAfterSeconds(0)).toBe(10);
    expect(await retryAfterSeconds(50)).toBe(1);
  });

  test("rejects waiting requests on close", async () => {
    const queue = createQueue();
    await queue.acquire("a", neverAborts());
    const waiting = queue.acquire("a", neverAborts());
    queue.close();
    await expect(waiting).rejects.toMatchObject({ code: "shutting_down" });
  });
});

describe("pause after an upstream limit", () => {
  test("holds requests until it ends, then serves them", async () => {
    const queue = createQueue({ concurrency: 5 });
    queue.recordFailure(limited(0.05), "hi");
    let started = false;
    const waiting = queue.acquire("a", neverAborts()).then((slot) => {
      started = true;
      return slot;
    });
    await nextIteration();
    expect(started).toBe(false);
    expect(queue.state.pause?.reason.code).toBe("rate_limited");
    (await waiting).release();
    expect(queue.state.pause).toBeUndefined();
  });

  test("rejects all requests at once with the remaining time if it outlasts maxWait", async () => {
    const queue = createQueue({ maxWait: 1_000 });
    const slot = await queue.acquire("a", neverAborts());
    const waiting = queue.acquire("a", neverAborts());
    queue.recordFailure(limited(30), "hi");
    await expect(waiting).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 30 });
    await expect(queue.acquire("b", neverAborts())).rejects.toMatchObject({ upstreamCode: "RATE" });
    slot.release();
  });

  test("does not start for a used-up quota, which is reported until the next answer", async () => {
    const queue = createQueue();
    queue.recordFailure(new GatewayError("quota_exceeded", "Used up."), "hi");
    expect(queue.state.quotaExceeded?.reason.code).toBe("quota_exceeded");
    (await queue.acquire("a", neverAborts())).release();
    queue.recordSuccess();
    expect(queue.state.quotaExceeded).toBeUndefined();
  });

  test("does not start after other errors", async () => {
    const queue = createQueue();
    queue.recordFailure(new GatewayError("upstream_cut", "Cut."), "hi");
    queue.recordFailure(new Error("defect"), "hi");
    (await queue.acquire("a", neverAborts())).release();
  });

  const uncertain = [
    new GatewayError("upstream_overloaded", "Too busy.", { retryAfterSeconds: 30 }),
    new GatewayError("rate_limited", "Too fast?", { retryAfterSeconds: 30, isAccountWide: false }),
  ];
  test.each(uncertain)("starts after $code only if two different prompts failed in a row", (error) => {
    const queue = createQueue();
    for (let n = 0; n < 5; n++) queue.recordFailure(error, "poison");
    expect(queue.state.pause).toBeUndefined();
    queue.recordSuccess();
    queue.recordFailure(error, "hi");
    expect(queue.state.pause).toBeUndefined();
    queue.recordFailure(error, "poison");
    expect(queue.state.pause?.reason).toBe(error);
    queue.close();
  });

  test("is not shortened by a shorter one", () => {
    const queue = createQueue();
    queue.recordFailure(limited(30), "hi");
    const until = queue.state.pause?.until;
    queue.recordFailure(limited(1), "hi");
    expect(queue.state.pause?.until).toBe(until);
    queue.close();
  });
});

describe("an upload", () => {
  test("waits for no answer, but for other uploads beyond the concurrency limit", async () => {
    const queue = createQueue();
    await queue.acquire("a", neverAborts());
    const first = await queue.acquireUpload("a", neverAborts());
    let isSecondServed = false;
    const second = queue.acquireUpload("b", neverAborts()).then((slot) => {
      isSecondServed = true;
      return slot;
    });
    await nextIteration();
    expect(isSecondServed).toBe(false);
    first.release();
    (await second).release();
    expect(queue.state).toMatchObject({ running: 1, waiting: 0 });
  });

  test("is held by a pause of the account, and rejected by one that outlasts maxWait", async () => {
    const queue = createQueue({ maxWait: 5_000 });
    queue.recordFailure(limited(1), "hi");
    let isServed = false;
    const upload = queue.acquireUpload("a", neverAborts()).then((slot) => {
      isServed = true;
      return slot;
    });
    await nextIteration();
    expect(isServed).toBe(false);
    (await upload).release();
    queue.recordFailure(limited(30), "hi");
    await expect(queue.acquireUpload("a", neverAborts())).rejects.toMatchObject({ code: "rate_limited" });
    queue.close();
  });
});
