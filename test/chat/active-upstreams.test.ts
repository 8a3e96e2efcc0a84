import { expect, test } from "vitest";
import { AccountQueue } from "../../src/accounts/account-queue.js";
import { type ActiveUpstream, ActiveUpstreams } from "../../src/chat/active-upstreams.js";
import { CircuitBreaker } from "../../src/chat/circuit-breaker.js";
import type { Upstream } from "../../src/core/types.js";

/** An upstream that answers nothing, and adds its name to `closed` when it is closed. */
function openUpstream(name: string, closed: string[]): ActiveUpstream {
  const upstream: Upstream = {
    name,
    kind: "test",
    simulated: false,
    chatStructure: "none",
    features: new Set(),
    models: async () => [],
    chat: async () => {},
    accountId: () => name,
    status: () => ({ state: "ok", detail: "" }),
    close: async () => void closed.push(name),
  };
  const queue = new AccountQueue({ concurrency: 1, waitLimits: () => ({ depth: 1, maxWait: 1_000 }) });
  return {
    upstream,
    toolMode: "off",
    guards: { queue, circuitBreaker: new CircuitBreaker(), observe: () => {} },
  };
}

test("an upstream that is replaced while it is used is closed after the last use, and kept ones stay open", async () => {
  const closed: string[] = [];
  const [kept, old, next] = ["kept", "old", "next"].map((name) => openUpstream(name, closed));
  if (!kept || !old || !next) throw new Error("three upstreams");
  const upstreams = new ActiveUpstreams([kept, old], () => {});
  const endings: (() => void)[] = [];
  const start = () =>
    upstreams.use((active) => new Promise((resolve) => endings.push(() => resolve(active.length))));
  const running = [start(), start()];

  upstreams.replace([kept, next]);
  expect(upstreams.current).toEqual([kept, next]);
  endings[0]?.();
  await running[0];
  expect(closed).toEqual([]);
  const later = start();
  endings[1]?.();
  await running[1];
  expect(closed).toEqual(["old"]);
  endings[2]?.();
  await later;
  expect(closed).toEqual(["old"]);

  upstreams.replace([next]);
  expect(closed).toEqual(["old", "kept"]);
});

test("a use that fails frees its upstreams, and closing closes those in use too, each once", async () => {
  const closed: string[] = [];
  const [first, second] = ["first", "second"].map((name) => openUpstream(name, closed));
  if (!first || !second) throw new Error("two upstreams");
  const upstreams = new ActiveUpstreams([first], () => {});
  await expect(upstreams.use(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  let end = () => {};
  const running = upstreams.use(() => new Promise<void>((resolve) => (end = resolve)));
  upstreams.replace([second]);
  await upstreams.close();
  end();
  await running;
  expect(closed.toSorted()).toEqual(["first", "second"]);
});
