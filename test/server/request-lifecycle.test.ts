import Fastify from "fastify";
import { afterEach, expect, test, vi } from "vitest";
import { limits } from "../../src/core/limits.js";
import { Metrics } from "../../src/observability/metrics.js";
import { RequestLifecycle } from "../../src/server/request-lifecycle.js";
import { RequestLog } from "../../src/server/request-log.js";

afterEach(() => {
  vi.useRealTimers();
});

/** A server that answers with the reason of the request's abort. */
function createServer() {
  const app = Fastify();
  const lifecycle = new RequestLifecycle(app, new RequestLog(app.log, new Metrics()));
  app.get("/", async ({ stopSignal }) => {
    await new Promise((resolve) => stopSignal.addEventListener("abort", resolve));
    return stopSignal.reason;
  });
  return { app, lifecycle };
}

test("a request is aborted when it exceeds the time limit, and not before", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { app, lifecycle } = createServer();
  let answered = false;
  const answer = app.inject("/").then((response) => {
    answered = true;
    return response;
  });
  await vi.waitFor(() => expect(lifecycle.running).toBe(1));
  await vi.advanceTimersByTimeAsync(limits.answer - 1_000);
  expect(answered).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await answer).json()).toMatchObject({ code: "timeout" });
  expect(vi.getTimerCount()).toBe(0);
});

test("running requests are aborted with shutting_down when the server stops", async () => {
  const { app, lifecycle } = createServer();
  const answer = app.inject("/");
  await vi.waitFor(() => expect(lifecycle.running).toBe(1));
  lifecycle.abortAll();
  expect((await answer).json()).toMatchObject({ code: "shutting_down" });
  await vi.waitFor(() => expect(lifecycle.running).toBe(0));
});
