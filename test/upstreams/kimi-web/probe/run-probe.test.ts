import { describe, expect, onTestFinished, test } from "vitest";
import { ProtocolDrift } from "../../../../src/observability/protocol-drift.js";
import { type ProbeResult, runProbe } from "../../../../src/upstreams/kimi-web/probe/run-probe.js";
import { KimiWeb } from "../../../../src/upstreams/kimi-web/upstream.js";
import { listKimiChats } from "../../../conversations/dialogue.js";
import { all, openAccount, probe, valuesOf } from "./probed-account.js";

const helloBody = JSON.stringify({
  scenario: "SCENARIO_CHAT",
  message: { role: "user", blocks: [{ text: { content: "hello" } }], scenario: "SCENARIO_CHAT" },
  options: { model: "k2d6-chat" },
});

describe("a probe", () => {
  test("finds everything where nothing is missing, stores it, and leaves no chat", async () => {
    const { results, simulator, store, upstream } = await probe();
    expect(valuesOf(results)).toEqual(all);
    expect(await listKimiChats(simulator)).toEqual([]);
    expect(await store.countDueChats(Number.MAX_SAFE_INTEGER)).toBe(0);
    await upstream.close();
    const settings = {
      name: "me",
      baseUrl: simulator.url,
      authUrl: simulator.url,
      tokens: simulator.issue(),
    };
    const reopened = await KimiWeb.open(settings, { store, drift: new ProtocolDrift(), warn: () => {} });
    onTestFinished(() => reopened.close());
    const measured = reopened.capabilities.list().filter(({ change }) => change?.source === "probe");
    expect(measured).toHaveLength(Object.keys(all).length + 1);
    expect(reopened.capabilities.has("long-prompt")).toBe(true);
  });

  test("finds that old-parent is missing, and nothing else", async () => {
    const { results, simulator } = await probe({ without: ["old-parent"] });
    expect(valuesOf(results)).toEqual({ ...all, "old-parent": false });
    expect(await listKimiChats(simulator)).toEqual([]);
  });

  test("ends at a used-up quota, keeps what it has found, and says of the rest that it was not tried", async () => {
    const account = await openAccount();
    const results: ProbeResult[] = [];
    for await (const result of runProbe(account.upstream, {
      ...{ store: account.store, pause: 0, signal: new AbortController().signal },
    })) {
      results.push(result);
      if (result.name === "readable-after-cut")
        account.simulator.fault({
          ...{
            kind: "error",
            code: "resource_exhausted",
            reason: "REASON_K2_USAGE_EXCEEDED",
            afterDone: true,
          },
        });
    }
    expect(valuesOf(results)).toEqual({
      ...Object.fromEntries(Object.entries(all).slice(0, 6)),
      "system-prompt": "unclear: quota_exceeded",
      ...Object.fromEntries(
        Object.keys(all)
          .slice(7)
          .map((name) => [name, "skipped: quota_exceeded"]),
      ),
    });
    expect(await listKimiChats(account.simulator)).toEqual([]);
  });

  test("deletes the chats that a killed probe has left, and no others", async () => {
    const { simulator, store, upstream } = await openAccount();
    const newChat = async () => {
      const before = await listKimiChats(simulator);
      const stream = await upstream.calls.openChat(helloBody, AbortSignal.timeout(10_000));
      while ((await listKimiChats(simulator)).length === before.length)
        await new Promise((resolve) => setTimeout(resolve, 5));
      stream.close(false);
      return (await listKimiChats(simulator)).find((chat) => !before.includes(chat)) ?? "";
    };
    const [left, own] = [await newChat(), await newChat()];
    const dueAt = Date.now() + 60_000;
    await store.saveChat({ upstream: "me", chat: left, scope: "probe", dueAt });
    await store.saveChat({ upstream: "me", chat: own, scope: "a conversation", dueAt });
    const abort = new AbortController();
    abort.abort(new Error("stopped"));
    for await (const _ of runProbe(upstream, { store, pause: 0, signal: abort.signal }));
    expect(await listKimiChats(simulator)).toEqual([own]);
  });

  test("refuses to run beside another one of the account", async () => {
    const { store, upstream } = await openAccount();
    await store.acquireLock("probe me", "another", Date.now() + 60_000);
    const run = runProbe(upstream, { store, pause: 0, signal: new AbortController().signal });
    await expect(run.next()).rejects.toMatchObject({ code: "account_busy" });
  });
});
