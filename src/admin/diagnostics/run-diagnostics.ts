import type { CommandLineOptions } from "../../config/load.js";
import { loadConfig } from "../../config/load.js";
import type { Config } from "../../config/schema.js";
import type { UpstreamConfig } from "../../config/upstream-schema.js";
import type { Store } from "../../core/store.js";
import type { Model, Upstream } from "../../core/types.js";
import { checkAccount } from "./account.js";
import { checkAddress } from "./address.js";
import { checkConfig, checkNode } from "./config.js";
import { checkFiles } from "./files.js";
import { describeFailure, type Finding, runCheck } from "./finding.js";
import { checkKeys } from "./keys.js";
import { checkClock, checkProxies, checkReachability, probe } from "./network.js";
import { checkDueChats, checkStore } from "./store.js";

/** What the checks open, supplied by the app. */
export type DiagnosticsContext = {
  openStore(config: Config): Promise<Store>;
  configuredUpstreams(config: Config, store: Store): Promise<UpstreamConfig[]>;
  /** The base addresses that an upstream of this configuration connects to. */
  addressesOf(config: UpstreamConfig): string[];
  /** `store` is undefined where it could not be opened; the upstream then keeps nothing. */
  openUpstream(config: UpstreamConfig, store: Store | undefined): Promise<Upstream>;
  /** Whether these are an upstream's built-in models, used while its live catalogue is unavailable. */
  isBuiltInCatalogue(models: readonly Model[]): boolean;
};

export type DiagnosticsOptions = {
  commandLine: CommandLineOptions;
  /** Send nothing over any network. */
  offline: boolean;
  signal: AbortSignal;
};

type Run = Pick<DiagnosticsOptions, "offline" | "signal"> & {
  config: Config;
  store: Store | undefined;
  context: DiagnosticsContext;
};

/** Yields the findings of all checks, in the same order each time. Checks run concurrently; an aborted one yields none. */
export async function* runDiagnostics(
  { commandLine, offline, signal }: DiagnosticsOptions,
  context: DiagnosticsContext,
): AsyncGenerator<Finding> {
  yield checkNode();
  let config: Config;
  try {
    config = await loadConfig(commandLine, process.env);
  } catch (error) {
    yield { what: "config", state: "fail", detail: describeFailure(error) };
    return;
  }
  yield* checkConfig(config, commandLine);
  let store: Store | undefined;
  try {
    store = await context.openStore(config);
  } catch (error) {
    yield { what: "store", state: "fail", detail: describeFailure(error) };
  }
  if (store) yield await checkStore(config);
  try {
    for (const check of startChecks({ config, store, offline, signal, context })) {
      const findings = await check;
      if (!signal.aborted) yield* findings;
    }
  } finally {
    await store?.close();
  }
}

function startChecks(run: Run): Promise<Finding[]>[] {
  const { config, store, offline, signal, context } = run;
  const upstreams = store
    ? context.configuredUpstreams(config, store)
    : Promise.resolve<UpstreamConfig[]>(config.upstreams);
  return [
    runCheck("network", signal, async (stop) => [
      ...checkProxies(process.env),
      ...(offline ? [notAsked] : await checkNetwork(await upstreams, context, stop)),
    ]),
    checkAccounts(upstreams, run),
    runCheck("keys", signal, () => checkKeys(config, store)),
    runCheck("address", signal, (stop) => checkAddress(config, stop)),
    runCheck("files", signal, async () => [await checkFiles(config, store)]),
    runCheck("chats", signal, async () => (store ? [await checkDueChats(store)] : [])),
  ];
}

const notAsked: Finding = {
  what: "network",
  state: "ok",
  detail: "nothing is asked of it (--offline): no clock is compared and no account tried",
};

async function checkNetwork(
  upstreams: readonly UpstreamConfig[],
  { addressesOf }: DiagnosticsContext,
  signal: AbortSignal,
): Promise<Finding[]> {
  const origins = new Map(
    upstreams.flatMap(addressesOf).map((address) => [new URL(address).origin, address]),
  );
  const probes = await Promise.all([...origins.values()].map((address) => probe(address, signal)));
  return [...checkClock(probes), ...probes.map(checkReachability)];
}

async function checkAccounts(upstreams: Promise<readonly UpstreamConfig[]>, run: Run): Promise<Finding[]> {
  try {
    const findings = (await upstreams).map((config) => checkOneAccount(config, run));
    return (await Promise.all(findings)).flat();
  } catch (error) {
    return [{ what: "accounts", state: "fail", detail: describeFailure(error) }];
  }
}

/** Without a store no Kimi login is used: a refreshed pair could not be kept, and the old one would be invalid. */
async function checkOneAccount(
  config: UpstreamConfig,
  { store, offline, signal, context }: Run,
): Promise<Finding[]> {
  const what = `account ${config.name}`;
  if (!store && config.kind.startsWith("kimi")) {
    const detail = "not tried: without the store a renewed login would be lost";
    return [{ what, state: "warn", detail, remedy: "Mend the store first." }];
  }
  let upstream: Upstream | undefined;
  try {
    upstream = await context.openUpstream(config, store);
    const { isBuiltInCatalogue } = context;
    return await checkAccount(upstream, { offline, store, signal, isBuiltInCatalogue });
  } catch (error) {
    return [{ what, state: "fail", detail: describeFailure(error) }];
  } finally {
    await upstream?.close();
  }
}
