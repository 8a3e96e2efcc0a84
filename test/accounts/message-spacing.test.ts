import { describe, expect, test } from "vitest";
import type { Simulator } from "../../simulator/index.js";
import { AccountQueue } from "../../src/accounts/account-queue.js";
import type { UpstreamConfig } from "../../src/config/upstream-settings.js";
import { chatBody, type Gateway, postChat, startGateway, waitUntil } from "../gateway.js";

const neverAborts = new AbortController().signal;
const createQueue = (minInterval: number, maxWait = 60_000) =>
  new AccountQueue({ concurrency: 100, waitLimits: () => ({ depth: 100, maxWait }), minInterval });

/** The times at which the simulator received messages, in milliseconds. */
const starts = ({ simulator }: Gateway) =>
  simulator.calls.flatMap(({ path, receivedAt }) => (path.endsWith("/Chat") ? [receivedAt] : []));

/** Two accounts, the first with this spacing. */
function upstreamsOf(simulator: Simulator, minSecondsBetweenStarts: number): UpstreamConfig[] {
  const account = { kind: "kimi-web", baseUrl: simulator.url, authUrl: simulator.url, concurrency: 10 };
  return [
    { name: "slow", ...account, ...simulator.issue(), minSecondsBetweenStarts },
    { name: "other", ...account, ...simulator.issue() },
  ];
}

describe("minSecondsBetweenStarts", () => {
  test("spaces the starts of an account's messages, and not those of another account", async () => {
    const gateway = await startGateway({ upstreams: (simulator) => upstreamsOf(simulator, 0.2) });
    const startedAt = performance.now();
    const send = (model: string) => postChat(gateway, chatBody("hello", { model }));
    const spaced = await Promise.all(Array.from({ length: 4 }, () => send("slow/kimi")));
    expect(spaced.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(Math.max(...starts(gateway)) - startedAt).toBeGreaterThanOrEqual(600);

    await gateway.replaceUpstreams(upstreamsOf(gateway.simulator, 3_600));
    expect((await send("slow/kimi")).status).toBe(200);
    const abort = new AbortController();
    const waiting = postChat(gateway, chatBody("hello", { model: "slow/kimi" }), { signal: abort.signal });
    await waitUntil(() => gateway.logEntries().some(({ msg }) => msg === "a request waits for its turn"));
    const chats = gateway.simulator.counts().chats;
    expect((await send("other/kimi")).status).toBe(200);
    expect(gateway.simulator.counts().chats).toBe(chats + 1);
    abort.abort();
    await expect(waiting).rejects.toThrow();
  });

  test("spaces the correction of a wrong call from the answer before it", async () => {
    const gateway = await startGateway({ upstreams: (simulator) => upstreamsOf(simulator, 0.3) });
    const startedAt = performance.now();
    const parameters = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
    const answer = await gateway.client.chat.completions.create({
      model: "slow/kimi",
      messages: [{ role: "user", content: 'sim:tool-fault=unknown-tool\nsim:call read_note {"path":"a"}' }],
      tools: [{ type: "function", function: { name: "read_note", parameters } }],
    });
    expect(answer.choices[0]?.finish_reason).toBe("tool_calls");
    expect(starts(gateway)).toHaveLength(2);
    expect(Math.max(...starts(gateway)) - startedAt).toBeGreaterThanOrEqual(300);
  });

  test("counts as waiting: the queue shows it, an abort leaves it at once, and it ends with the longest wait", async () => {
    const queue = createQueue(60_000, 50);
    (await queue.acquire("a", neverAborts)).release();
    const abort = new AbortController();
    const aborted = queue.acquire("a", abort.signal);
    const late = queue.acquire("b", neverAborts);
    expect(queue.state).toMatchObject({ running: 0, waiting: 2 });
    abort.abort(new Error("gone"));
    await expect(aborted).rejects.toThrow("gone");
    expect(queue.state.waiting).toBe(1);
    await expect(late).rejects.toMatchObject({ code: "account_busy", retryAfterSeconds: expect.any(Number) });
  });

  test("holds for a further message within a slot, and an abort ends that wait", async () => {
    const queue = createQueue(60_000);
    await queue.acquire("a", neverAborts);
    const abort = new AbortController();
    const further = queue.waitForStart(abort.signal);
    abort.abort(new Error("gone"));
    await expect(further).rejects.toThrow("gone");
  });

  test("is off by default: a hundred slots are free at once", async () => {
    const queue = new AccountQueue({ concurrency: 100, waitLimits: () => ({ depth: 0, maxWait: 1_000 }) });
    await Promise.all(Array.from({ length: 100 }, () => queue.acquire("a", neverAborts)));
    await queue.waitForStart(neverAborts);
    expect(queue.state).toMatchObject({ running: 100, waiting: 0 });
  });
});
