import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { afterPoll } from "../../src/lib/after-poll.js";

test("runs tasks in order after the current event loop phase, and tasks added by a task after them", async () => {
  const ran: string[] = [];
  afterPoll(() => {
    ran.push("first");
    afterPoll(() => ran.push("third"));
  });
  afterPoll(() => ran.push("second"));
  await Promise.resolve();
  expect(ran).toEqual([]);
  await setImmediate();
  expect(ran).toEqual(["first", "second", "third"]);
});

test("a task that throws does not drop the other tasks", async () => {
  const ran: string[] = [];
  const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
  const before = process.rawListeners("uncaughtException").slice(0, -1) as NodeJS.UncaughtExceptionListener[];
  for (const listener of before) process.off("uncaughtException", listener);
  afterPoll(() => ran.push("first"));
  afterPoll(() => {
    throw new Error("of a task");
  });
  afterPoll(() => ran.push("last"));
  expect(await thrown).toMatchObject({ message: "of a task" });
  for (const listener of before) process.on("uncaughtException", listener);
  await setImmediate();
  expect(ran).toEqual(["first", "last"]);
});
