import { setMaxListeners } from "node:events";
import { checkAccount } from "../admin/diagnostics/account.js";
import { checkAddress } from "../admin/diagnostics/address.js";
import { checkConfig, checkNode } from "../admin/diagnostics/config.js";
import { checkFiles } from "../admin/diagnostics/files.js";
import { type Finding, look, sentence } from "../admin/diagnostics/finding.js";
import { checkKeys } from "../admin/diagnostics/keys.js";
import { checkClock, checkProxies, checkReach, probe } from "../admin/diagnostics/network.js";
import { checkDueChats, checkStore } from "../admin/diagnostics/store.js";
import { upstreamsOf } from "../app/create-app.js";
import { type CommandLine, loadConfig } from "../config/load.js";
import type { Config } from "../config/schema.js";
import type { UpstreamConfig } from "../config/upstream-schema.js";
import type { Store } from "../core/store.js";
import type { Upstream } from "../core/types.js";
import { Drift } from "../observability/protocol-drift.js";
import { SqliteStore } from "../store/sqlite/store.js";
import { addressesOf, openUpstream } from "../upstreams/registry.js";
import { forgetful } from "../upstreams/simulator.js";

export type DoctorOptions = CommandLine & { offline?: boolean; json?: boolean };

/**
 * `moonbridge doctor`: everything from the config to one short chat, a line or two for each finding, in the same order
 * each time. Exits with 1 if something fails, with 130 if Ctrl-C ends it.
 */
export async function doctor({
  offline = false,
  json = false,
  ...commandLine
}: DoctorOptions): Promise<void> {
  const signal = stopOnSignals();
  const findings: Finding[] = [];
  for await (const finding of examine(commandLine, offline, signal)) {
    findings.push(finding);
    if (!json) process.stdout.write(lineOf(finding));
  }
  if (json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  const outcome = findings.some(({ state }) => state === "fail") ? 1 : 0;
  const code = signal.aborted ? 130 : outcome;
  // A look-up of a name cannot be called off, and would keep the process.
  process.stdout.write("", () => process.exit(code));
}

async function* examine(
  commandLine: CommandLine,
  offline: boolean,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  yield checkNode();
  let config: Config;
  try {
    config = await loadConfig(commandLine, process.env);
  } catch (error) {
    yield { what: "config", state: "fail", detail: sentence(error) };
    return;
  }
  yield* checkConfig(config, commandLine);
  const store = await openStore(config);
  const isOpen = store instanceof SqliteStore;
  yield isOpen ? await checkStore(config) : store;
  try {
    // All at once; what is done waits for its turn to be told.
    const checks = checksOf(config, isOpen ? store : undefined, offline, signal);
    for (const check of checks) {
      const findings = await check;
      if (!signal.aborted) yield* findings;
    }
  } finally {
    if (isOpen) await store.close();
  }
}

async function openStore({ storePath, sealKeys }: Config): Promise<SqliteStore | Finding> {
  try {
    return await SqliteStore.open(storePath, sealKeys);
  } catch (error) {
    return { what: "store", state: "fail", detail: sentence(error) };
  }
}

function checksOf(
  config: Config,
  store: Store | undefined,
  offline: boolean,
  signal: AbortSignal,
): Promise<Finding[]>[] {
  const upstreams = store ? upstreamsOf(config, store) : Promise.resolve(config.upstreams);
  return [
    look("network", signal, async (stop) => [
      ...checkProxies(process.env),
      ...(offline ? [notAsked] : await lookAtNetwork(await upstreams, stop)),
    ]),
    lookAtAccounts(upstreams, store, offline, signal),
    look("keys", signal, () => checkKeys(config, store)),
    look("address", signal, (stop) => checkAddress(config, stop)),
    look("files", signal, async () => [await checkFiles(config, store)]),
    look("chats", signal, async () => (store ? [await checkDueChats(store)] : [])),
  ];
}

const notAsked: Finding = {
  what: "network",
  state: "ok",
  detail: "nothing is asked of it (--offline): no clock is compared and no account tried",
};

async function lookAtNetwork(upstreams: readonly UpstreamConfig[], signal: AbortSignal): Promise<Finding[]> {
  const origins = new Map(
    upstreams.flatMap(addressesOf).map((address) => [new URL(address).origin, address]),
  );
  const probes = await Promise.all([...origins.values()].map((address) => probe(address, signal)));
  return [...checkClock(probes), ...probes.map(checkReach)];
}

async function lookAtAccounts(
  upstreams: Promise<readonly UpstreamConfig[]>,
  store: Store | undefined,
  offline: boolean,
  signal: AbortSignal,
): Promise<Finding[]> {
  try {
    const found = (await upstreams).map((each) => lookAtAccount(each, store, offline, signal));
    return (await Promise.all(found)).flat();
  } catch (error) {
    return [{ what: "accounts", state: "fail", detail: sentence(error) }];
  }
}

/** Without a store no login is used: what Kimi gives for it at a renewal could not be kept, and the old one is dead. */
async function lookAtAccount(
  config: UpstreamConfig,
  store: Store | undefined,
  offline: boolean,
  signal: AbortSignal,
): Promise<Finding[]> {
  const what = `account ${config.name}`;
  if (!store && config.kind.startsWith("kimi")) {
    const detail = "not tried: without the store a renewed login would be lost";
    return [{ what, state: "warn", detail, remedy: "Mend the store first." }];
  }
  let upstream: Upstream | undefined;
  try {
    const surroundings = { store: store ?? forgetful(), drift: new Drift(), warn: () => {} };
    upstream = await openUpstream(config, surroundings);
    return await checkAccount(upstream, { offline, store, signal });
  } catch (error) {
    return [{ what, state: "fail", detail: sentence(error) }];
  } finally {
    await upstream?.close();
  }
}

function lineOf({ what, state, detail, remedy }: Finding): string {
  return `${state.padEnd(5)} ${what}: ${detail}\n${remedy === undefined ? "" : `      → ${remedy}\n`}`;
}

/** The first signal calls everything off and lets it put away what it had begun, the second does not wait. */
function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  // Each check listens.
  setMaxListeners(0, controller.signal);
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error("stopped"));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}
