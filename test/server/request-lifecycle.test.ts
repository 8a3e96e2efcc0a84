import { setTimeout } from "node:timers/promises";
import Fastify from "fastify";
import { afterEach, expect, test, vi } from "vitest";
import { limits } from "../../src/core/limits.js";
import { Metrics } from "../../src/observability/metrics.js";
import { Lifetime } from "../../src/server/request-lifecycle.js";

afterEach(() => {
  vi.useRealTimers();
});

/** A server of which one route waits, and answers why it was stopped. */
function server() {
  const app = Fastify();
  const lifetime = new Lifetime(app, new Metrics());
  app.post("/", async () => "done");
  app.get("/", async ({ stop }) => {
    await new Promise((resolve) => stop.addEventListener("abort", resolve));
    return stop.reason;
  });
  return { app, lifetime };
}

test("an answer that takes too long is stopped, and not before", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { app, lifetime } = server();
  let answered = false;
  const answer = app.inject("/").then((response) => {
    answered = true;
    return response;
  });
  await vi.waitFor(() => expect(lifetime.running).toBe(1));
  await vi.advanceTimersByTimeAsync(limits.answer - 1_000);
  expect(answered).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await answer).json()).toMatchObject({ code: "timeout" });
  expect(vi.getTimerCount()).toBe(0);
});

test("what still runs when the server stops is told so", async () => {
  const { app, lifetime } = server();
  const answer = app.inject("/");
  await vi.waitFor(() => expect(lifetime.running).toBe(1));
  lifetime.stopAll();
  expect((await answer).json()).toMatchObject({ code: "shutting_down" });
  await vi.waitFor(() => expect(lifetime.running).toBe(0));
});

test.each(["GET", "HEAD"] as const)(
  "a look (%s) does not end its rest, and an answer does",
  async (method) => {
    const { app, lifetime } = server();
    await setTimeout(300);
    const look = app.inject({ method, url: "/" });
    await vi.waitFor(() => expect(lifetime.running).toBe(1));
    expect(lifetime.restedFor).toBe(0);
    lifetime.stopAll();
    await look;
    await vi.waitFor(() => expect(lifetime.running).toBe(0));
    const before = lifetime.restedFor;
    expect(before).toBeGreaterThanOrEqual(299);
    await app.inject({ method: "POST", url: "/" });
    await vi.waitFor(() => expect(lifetime.running).toBe(0));
    expect(lifetime.restedFor).toBeLessThan(before);
  },
);
