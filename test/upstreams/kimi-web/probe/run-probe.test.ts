import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type Capability,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "../../../../simulator/index.js";
import type { Store } from "../../../../src/core/store.js";
import { ProtocolDrift } from "../../../../src/observability/protocol-drift.js";
import { openStore } from "../../../../src/store/open-store.js";
import { type ProbeResult, runProbe } from "../../../../src/upstreams/kimi-web/probe/run-probe.js";
import { KimiWeb } from "../../../../src/upstreams/kimi-web/upstream.js";
import { listKimiChats } from "../../../conversations/dialogue.js";

const helloBody = JSON.stringify({
  scenario: "SCENARIO_CHAT",
  message: { role: "user", blocks: [{ text: { content: "hello" } }], scenario: "SCENARIO_CHAT" },
  options: { model: "k2d6-chat" },
});

type Probed = { results: ProbeResult[]; simulator: Simulator; store: Store; upstream: KimiWeb };

/** Opens an account of a new simulator. */
async function openAccount(options: SimulatorOptions = {}): Promise<Omit<Probed, "results">> {
  const simulator = await startSimulator({
    ...{ afterCut: "goes-on", cancelMilliseconds: 0, deltaMilliseconds: 3 },
    ...options,
  });
  const store = await openStore({
    storePath: join(mkdtempSync(join(tmpdir(), "moonbridge-probe-")), "state.db"),
    encryptionKeys: [],
  });
  const tokens = simulator.issue();
  const settings = { name: "me", baseUrl: simulator.url, authUrl: simulator.url, tokens };
  const upstream = await KimiWeb.open(settings, { store, drift: new ProtocolDrift(), warn: () => {} });
  onTestFinished(async () => {
    await upstream.close();
    await store.close();
    await simulator.close();
  });
  return { simulator, store, upstream };
}

async function probe(options: SimulatorOptions = {}, signal = new AbortController().signal): Promise<Probed> {
  const account = await openAccount(options);
  const results: ProbeResult[] = [];
  for await (const result of runProbe(account.upstream, { store: account.store, pause: 0, signal }))
    results.push(result);
  return { ...account, results };
}

/** The values by name, without the time. */
function valuesOf(results: readonly ProbeResult[]): Record<string, boolean | number | string> {
  const named = results.map((result) => [
    result.name,
    result.outcome === "measured" ? result.value : `${result.outcome}: ${result.code}`,
  ]);
  return Object.fromEntries(named.filter(([name]) => name !== "busy-seconds"));
}

const all = {
  "legacy-endpoints": true,
  "echo-text": true,
  "old-parent": true,
  "chat-without-parent": true,
  "cancelled-parent": true,
  "readable-after-cut": true,
  "system-prompt": true,
  "declared-tools": true,
  "tool-calls": true,
  "tool-calls-thinking": true,
  "tool-blocks": true,
  "long-prompt": true,
};

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

  test.each<[Capability, Partial<Record<keyof typeof all, boolean>>]>([
    ["old-parent", { "old-parent": false }],
    ["old-parent-accepted", { "old-parent": false }],
    ["cancelled-parent", { "cancelled-parent": false }],
    ["chat-without-parent", { "chat-without-parent": false }],
    ["echo-text", { "echo-text": false }],
    ["tool-calls", { "tool-calls": false }],
    ["tool-calls-thinking", { "tool-calls-thinking": false }],
    ["declared-tools", { "declared-tools": false }],
    ["system-prompt", { "system-prompt": false }],
    ["long-prompt", { "long-prompt": false }],
    ["legacy-endpoints", { "legacy-endpoints": false }],
    ["tool-blocks", { "tool-blocks": false }],
  ])("finds that %s is missing, and nothing else", async (name, missing) => {
    const { results, simulator } = await probe({ without: [name] });
    expect(valuesOf(results)).toEqual({ ...all, ...missing });
    expect(await listKimiChats(simulator)).toEqual([]);
  });

  test.each(["stops", "lost", "differs"] as const)("finds that a cut answer %s", async (afterCut) => {
    const { results } = await probe({ afterCut });
    expect(valuesOf(results)).toEqual({ ...all, "readable-after-cut": false });
  });

  test("measures how long a chat is stopping", async () => {
    const { results } = await probe({ cancelMilliseconds: 1_200 });
    const busy = results.find(({ name }) => name === "busy-seconds");
    expect(busy).toMatchObject({ outcome: "measured", value: expect.closeTo(2, -1) });
    expect(busy && "value" in busy && Number(busy.value)).toBeGreaterThanOrEqual(1.2);
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
