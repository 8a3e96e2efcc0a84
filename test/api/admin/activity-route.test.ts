import { expect, onTestFinished, test } from "vitest";
import { limits } from "../../../src/core/limits.js";
import { apiKey, chatBody, type Gateway, postChat, startGateway } from "../../gateway.js";
import { requestAdmin } from "./administrator.js";

type Received = { name: string; data: Record<string, unknown> };

/** Watches a gateway until the test ends; the events so far are in the list that is returned. */
async function watch(gateway: Gateway): Promise<{ events: Received[]; ended: Promise<unknown> }> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const headers = { authorization: `Bearer ${apiKey}` };
  const response = await fetch(`${gateway.url}/v1/admin/events`, { headers, signal: abort.signal });
  expect([response.status, response.headers.get("content-type")]).toEqual([
    200,
    "text/event-stream; charset=utf-8",
  ]);
  const events: Received[] = [];
  const read = async () => {
    let text = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const [, name, data] = /^event: (.+)\ndata: (.+)$/.exec(block) ?? [];
        if (name && data) events.push({ name, data: JSON.parse(data) });
      }
    }
  };
  return { events, ended: read().catch(() => {}) };
}

test("requests are told as they start and end, accounts first and when they change, and drift", async () => {
  const gateway = await startGateway({ concurrency: 1 });
  const { events } = await watch(gateway);
  await expect
    .poll(() => events[0])
    .toMatchObject({
      name: "accounts",
      data: { type: "accounts", accounts: [{ id: "me", state: "ok", queue: { running: 0 } }] },
    });
  gateway.simulator.fault({ kind: "unknown" });
  await (await postChat(gateway, chatBody("sim:say=hello"))).text();
  const find = (name: string) => events.filter((event) => event.name === name).map(({ data }) => data);
  await expect
    .poll(() => find("request.ended"))
    .toMatchObject([{ request: { key: "test", outcome: "ok", upstream: "me", dialect: "chat" } }]);
  const [started] = find("request.started");
  const [ended] = find("request.ended");
  expect(started).toMatchObject({ request: { key: "test", route: "/v1/chat/completions", dialect: "chat" } });
  expect(started?.request).toMatchObject({ id: Object(ended?.request).id });
  expect(find("drift")[0]).toMatchObject({ drift: { kind: expect.any(String), count: 1 } });
  const stalled = new AbortController();
  void postChat(gateway, chatBody("sim:slow=2000", { stream: true }), { signal: stalled.signal }).catch(
    () => {},
  );
  await expect
    .poll(() => find("accounts").at(-1), { timeout: 5_000 })
    .toMatchObject({ accounts: [{ queue: { running: 1 } }] });
  stalled.abort();
});

test("nothing of the console's own requests is told", async () => {
  const gateway = await startGateway();
  const { events } = await watch(gateway);
  await requestAdmin(gateway, "GET", "/requests");
  await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${apiKey}` } });
  await expect.poll(() => events.map(({ name }) => name)).toContain("request.ended");
  expect(events.map(({ data }) => Object(data.request).route)).not.toContain("/v1/admin/requests");
});

test("too many watchers are refused, and a place is free when one leaves", async () => {
  const gateway = await startGateway();
  const aborts = Array.from({ length: limits.activityListeners }, () => new AbortController());
  const headers = { authorization: `Bearer ${apiKey}` };
  const open = (signal: AbortSignal) => fetch(`${gateway.url}/v1/admin/events`, { headers, signal });
  await Promise.all(aborts.map(({ signal }) => open(signal)));
  expect((await open(AbortSignal.timeout(10_000))).status).toBe(503);
  aborts[0]?.abort();
  const last = new AbortController();
  await expect.poll(async () => (await open(last.signal)).status).toBe(200);
  for (const abort of [...aborts, last]) abort.abort();
});

test("the server stops while somebody watches", async () => {
  const gateway = await startGateway({ server: { shutdownSeconds: 0 } });
  const { ended } = await watch(gateway);
  await gateway.stop();
  await ended;
});
