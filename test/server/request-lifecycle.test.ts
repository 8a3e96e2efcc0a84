import Fastify from "fastify";
import { afterEach, expect, test, vi } from "vitest";
import { Activity } from "../../src/admin/activity.js";
import { limits } from "../../src/core/limits.js";
import { Journal } from "../../src/observability/journal.js";
import { Metrics } from "../../src/observability/metrics.js";
import { RequestLifecycle } from "../../src/server/request-lifecycle.js";
import { RequestLog } from "../../src/server/request-log.js";
import { createInMemoryStorage, InMemoryStore } from "../store/in-memory-store.js";

afterEach(() => {
  vi.useRealTimers();
});

const keep = () => ({ days: 1, rows: 10, texts: false });

/** A server that answers with the reason of the request's abort. */
function createServer() {
  const app = Fastify();
  const journal = new Journal({
    store: new InMemoryStore(createInMemoryStorage()).journal,
    keep,
    warn: () => {},
  });
  const requestLog = new RequestLog({
    log: app.log,
    metrics: new Metrics(),
    journal,
    activity: new Activity(),
  });
  const lifecycle = new RequestLifecycle(app, requestLog);
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
