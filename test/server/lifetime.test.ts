import Fastify from "fastify";
import { afterEach, expect, test, vi } from "vitest";
import { limits } from "../../src/config/limits.js";
import { Metrics } from "../../src/observability/metrics.js";
import { Lifetime } from "../../src/server/lifetime.js";

afterEach(() => {
  vi.useRealTimers();
});

/** A server whose one route answers why it was stopped. */
function server() {
  const app = Fastify();
  const lifetime = new Lifetime(app, new Metrics());
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
