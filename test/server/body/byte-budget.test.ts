import { expect, test } from "vitest";
import { ByteBudget } from "../../../src/server/body/byte-budget.js";

const never = new AbortController().signal;

/** The order in which the promises resolve, as they do. */
function recordOrder(): { order: string[]; note(name: string, promise: Promise<void>): Promise<void> } {
  const order: string[] = [];
  return { order, note: (name, promise) => promise.then(() => void order.push(name)) };
}

test("whoever does not fit waits, and is admitted in the order of arrival", async () => {
  const budget = new ByteBudget(100);
  const { order, note } = recordOrder();
  await budget.take(80, never);
  const all = Promise.all([
    note("large", budget.take(60, never)),
    note("small, behind the large one", budget.take(10, never)),
  ]);
  expect(budget.hasWaiters).toBe(true);
  budget.return(80);
  await all;
  expect(order).toEqual(["large", "small, behind the large one"]);
  expect(budget.hasWaiters).toBe(false);
});

test("an aborted waiter leaves at once, and no longer holds up those behind it", async () => {
  const budget = new ByteBudget(100);
  await budget.take(80, never);
  const controller = new AbortController();
  const left = budget.take(60, controller.signal);
  const behind = budget.take(20, never);
  controller.abort(new Error("the client left"));
  await expect(left).rejects.toThrow("the client left");
  await behind;
  // 80 and 20 are taken, nothing of the 60.
  budget.return(100);
  await budget.take(100, never);
});

test("after the longest wait the request is refused with a time for the next attempt", async () => {
  const budget = new ByteBudget(100, 30);
  await budget.take(100, never);
  await expect(budget.take(1, never)).rejects.toMatchObject({
    code: "server_busy",
    status: 503,
    retryable: true,
    retryAfterSeconds: expect.any(Number),
  });
  expect(budget.hasWaiters).toBe(false);
});
