import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../../../simulator/index.js";
import type { Store } from "../../../../src/core/store.js";
import { ProtocolDrift } from "../../../../src/observability/protocol-drift.js";
import { openStore } from "../../../../src/store/open-store.js";
import { type ProbeResult, runProbe } from "../../../../src/upstreams/kimi-web/probe/run-probe.js";
import { KimiWeb } from "../../../../src/upstreams/kimi-web/upstream.js";

export type Probed = { results: ProbeResult[]; simulator: Simulator; store: Store; upstream: KimiWeb };

/** Opens an account of a new simulator. */
export async function openAccount(options: SimulatorOptions = {}): Promise<Omit<Probed, "results">> {
  const simulator = await startSimulator({
    ...{ afterCut: "goes-on", cancelMilliseconds: 0, deltaMilliseconds: 3 },
    ...options,
  });
  const store = await openStore({
    store: { kind: "sqlite", path: join(mkdtempSync(join(tmpdir(), "moonbridge-probe-")), "state.db") },
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

/** Probes an account of a new simulator. */
export async function probe(
  options: SimulatorOptions = {},
  signal = new AbortController().signal,
): Promise<Probed> {
  const account = await openAccount(options);
  const results: ProbeResult[] = [];
  for await (const result of runProbe(account.upstream, { store: account.store, pause: 0, signal }))
    results.push(result);
  return { ...account, results };
}

/** The values by name, without the time. */
export function valuesOf(results: readonly ProbeResult[]): Record<string, boolean | number | string> {
  const named = results.map((result) => [
    result.name,
    result.outcome === "measured" ? result.value : `${result.outcome}: ${result.code}`,
  ]);
  return Object.fromEntries(named.filter(([name]) => name !== "busy-seconds"));
}

/** What is found where nothing is missing. */
export const all = {
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
