import { describe, expect, test } from "vitest";
import { AccountQueue, type QueueOptions, type Slot } from "../../src/accounts/queue.js";
import { GatewayError } from "../../src/core/errors.js";

const never = () => new AbortController().signal;

function open(options: Partial<QueueOptions> = {}): AccountQueue {
  return new AccountQueue({ concurrency: 1, depth: 100, wait: 60_000, ...options });
}

/** Lets what is due happen. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("turns", () => {
  test("are taken first come first served, as many at a time as the account takes", async () => {
    const queue = open({ concurrency: 2 });
    const slots: Slot[] = [await queue.enter("a", never()), await queue.enter("a", never())];
    const served: number[] = [];
    const waiting = [1, 2, 3].map(async (name) => {
      slots.push(await queue.enter("a", never()));
      served.push(name);
    });
    await turn();
    expect(served).toEqual([]);
    expect(queue.state).toMatchObject({ running: 2, waiting: 3 });
    slots[0]?.release();
    slots[0]?.release();
    await turn();
    expect(served).toEqual([1]);
    for (const slot of slots) slot.release();
    await turn();
    slots.at(-1)?.release();
    await Promise.all(waiting);
    expect(served).toEqual([1, 2, 3]);
  });

  test("go round between keys: one that asks fifty times keeps another waiting for one answer", async () => {
    const queue = open();
    const served: string[] = [];
    const answer = async (key: string) => {
      const slot = await queue.enter(key, never());
      served.push(key);
      await turn();
      slot.release();
    };
    const all = Array.from({ length: 50 }, () => answer("A"));
    await turn();
    await Promise.all([...all, answer("B")]);
    expect(served.indexOf("B")).toBeGreaterThanOrEqual(1);
    expect(served.indexOf("B")).toBeLessThanOrEqual(2);
    expect(served.length).toBe(51);
  });

  test("a waiter that leaves leaves nothing; the others keep their places", async () => {
    const queue = open({ depth: 2_000 });
    const slot = await queue.enter("a", never());
    const leavers = Array.from({ length: 1_000 }, () => new AbortController());
    const left = leavers.map((leaver, at) => queue.enter(`key ${at % 7}`, leaver.signal));
    const stays = queue.enter("b", never());
    const gone = Promise.allSettled(left);
    for (const leaver of leavers) leaver.abort(new Error("left"));
    expect((await gone).every(({ status }) => status === "rejected")).toBe(true);
    expect(queue.state).toMatchObject({ running: 1, waiting: 1 });
    slot.release();
    (await stays).release();
    expect(queue.state).toMatchObject({ running: 0, waiting: 0, held: undefined });
  });

  test("who comes with a signal that has fired does not enter", async () => {
    await expect(open().enter("a", AbortSignal.abort(new Error("left")))).rejects.toThrow("left");
  });
});

describe("bounds", () => {
  test("more than may wait are told when to come back", async () => {
    const queue = open({ depth: 2 });
    const slot = await queue.enter("a", never());
    const waiting = [queue.enter("a", never()), queue.enter("b", never())];
    const refused = await queue.enter("c", never()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "account_busy", status: 429, retryable: true });
    expect(refused instanceof GatewayError ? refused.retryAfterSeconds : 0).toBeGreaterThan(0);
    slot.release();
    for (const each of waiting) (await each).release();
  });

  test("nobody waits longer than the limit", async () => {
    const queue = open({ wait: 20 });
    const slot = await queue.enter("a", never());
    await expect(queue.enter("a", never())).rejects.toMatchObject({ code: "account_busy" });
    expect(queue.state.waiting).toBe(0);
    slot.release();
  });

  test("the advice grows with the time that answers take", async () => {
    const advice = async (answers: number) => {
      const queue = open({ depth: 0 });
      for (let n = 0; n < answers; n++) (await queue.enter("a", never())).release();
      await queue.enter("a", never());
      const refused = await queue.enter("a", never()).catch((error: unknown) => error);
      return refused instanceof GatewayError ? refused.retryAfterSeconds : undefined;
    };
    expect(await advice(0)).toBe(10);
    expect(await advice(50)).toBe(1);
  });

  test("a shutdown turns away who waits", async () => {
    const queue = open();
    await queue.enter("a", never());
    const waiting = queue.enter("a", never());
    queue.close();
    await expect(waiting).rejects.toMatchObject({ code: "shutting_down" });
  });
});

describe("an account that says “not now”", () => {
  const limited = (retryAfterSeconds: number) =>
    new GatewayError("rate_limited", "Too fast.", { retryAfterSeconds, upstreamCode: "RATE" });

  test("is left alone until then, and goes on by itself", async () => {
    const queue = open({ concurrency: 5 });
    queue.heed(limited(0.05));
    let started = false;
    const waiting = queue.enter("a", never()).then((slot) => {
      started = true;
      return slot;
    });
    await turn();
    expect(started).toBe(false);
    expect(queue.state.held?.because.code).toBe("rate_limited");
    (await waiting).release();
    expect(queue.state.held).toBeUndefined();
  });

  test("for longer than anyone waits: everybody is told at once, with the time that is left", async () => {
    const queue = open({ wait: 1_000 });
    const slot = await queue.enter("a", never());
    const waiting = queue.enter("a", never());
    queue.heed(limited(30));
    await expect(waiting).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 30 });
    await expect(queue.enter("b", never())).rejects.toMatchObject({ upstreamCode: "RATE" });
    slot.release();
  });

  test("because a quota is used up: that is remembered until an answer comes, and holds nobody", async () => {
    const queue = open();
    queue.heed(new GatewayError("quota_exceeded", "Used up."));
    expect(queue.state.usedUp?.because.code).toBe("quota_exceeded");
    (await queue.enter("a", never())).release();
    queue.answered();
    expect(queue.state.usedUp).toBeUndefined();
  });

  test("a failure of another kind holds nobody", async () => {
    const queue = open();
    queue.heed(new GatewayError("upstream_cut", "Cut."));
    queue.heed(new Error("defect"));
    (await queue.enter("a", never())).release();
  });

  test("a shorter pause does not end a longer one", () => {
    const queue = open();
    queue.heed(limited(30));
    const until = queue.state.held?.until;
    queue.heed(limited(1));
    expect(queue.state.held?.until).toBe(until);
    queue.close();
  });
});
