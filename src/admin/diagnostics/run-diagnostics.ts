import type { CommandLineOptions } from "../../config/load.js";
import type { Config } from "../../config/schema.js";
import type { UpstreamConfig } from "../../config/upstream-settings.js";
import type { Store } from "../../core/store.js";
import type { Upstream } from "../../core/types.js";
import { doctorMessages } from "../../i18n/doctor-messages.js";
import type { Environment } from "../../lib/environment-variables.js";
import type { ProxyRules } from "../../proxy/proxy-rules.js";
import { checkAccount } from "./account.js";
import { checkAddress } from "./address.js";
import { checkConfig, checkNode } from "./config.js";
import { checkFiles } from "./files.js";
import { describeFailure, type Finding, runCheck } from "./finding.js";
import { checkKeys } from "./keys.js";
import { checkClock, checkReachability, probeAddress } from "./network.js";
import { listProxies } from "./proxies.js";
import { checkDueChats, checkStore } from "./store.js";

/** Functions of other folders that the checks use, supplied by the app. */
export type DiagnosticsContext = {
  loadConfig(commandLine: CommandLineOptions, environment: Environment): Promise<Config>;
  openStore(config: Config): Promise<Store>;
  configuredUpstreams(config: Config, store: Store): Promise<UpstreamConfig[]>;
  /** What holds for all upstreams of the entry's kind. */
  kindOf(config: UpstreamConfig): {
    credentials: "tokens" | "api-key" | "none";
    /** The base URLs that requests are sent to. */
    baseUrls(config: UpstreamConfig): string[];
  };
  /** `store` is undefined where it could not be opened; the upstream then keeps nothing. */
  openUpstream(config: UpstreamConfig, store: Store | undefined, proxies: ProxyRules): Promise<Upstream>;
};

export type DiagnosticsOptions = {
  commandLine: CommandLineOptions;
  /** Send nothing over any network. */
  offline: boolean;
  signal: AbortSignal;
};

/** The context of one run. `store` is undefined if it could not be opened. */
type DiagnosticsRun = Pick<DiagnosticsOptions, "offline" | "signal"> & {
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
    config = await context.loadConfig(commandLine, process.env);
  } catch (error) {
    yield { what: doctorMessages.subjects.config, state: "fail", detail: describeFailure(error) };
    return;
  }
  yield* checkConfig(config);
  let store: Store | undefined;
  try {
    store = await context.openStore(config);
  } catch (error) {
    yield { what: doctorMessages.subjects.store, state: "fail", detail: describeFailure(error) };
  }
  if (store) yield* await runCheck(doctorMessages.subjects.store, signal, () => checkStore(config));
  try {
    for (const check of startChecks({ config, store, offline, signal, context })) {
      const findings = await check;
      if (!signal.aborted) yield* findings;
    }
  } finally {
    await store?.close();
  }
}

function startChecks(run: DiagnosticsRun): Promise<Finding[]>[] {
  const { config, store, signal, context } = run;
  const upstreams = store
    ? context.configuredUpstreams(config, store)
    : Promise.resolve<UpstreamConfig[]>(config.upstreams);
  return [
    runCheck(doctorMessages.subjects.network, signal, async (checkSignal) =>
      checkNetwork(await upstreams, run, checkSignal),
    ),
    checkAccounts(upstreams, run),
    runCheck(doctorMessages.subjects.keys, signal, () => checkKeys(config, store)),
    runCheck(doctorMessages.subjects.address, signal, async (checkSignal) => {
      const known = await upstreams.catch(() => []);
      const hasAccount = known.some((each) => context.kindOf(each).credentials !== "none");
      return checkAddress(config, hasAccount, checkSignal);
    }),
    runCheck(doctorMessages.subjects.files, signal, async () => [await checkFiles(config, store)]),
    runCheck(doctorMessages.subjects.chats, signal, async () => (store ? [await checkDueChats(store)] : [])),
  ];
}

const offlineFinding: Finding = {
  what: doctorMessages.subjects.network,
  state: "ok",
  detail: doctorMessages.offline,
};

/** Each address is probed once through each proxy that leads to it. */
async function checkNetwork(
  upstreams: readonly UpstreamConfig[],
  { config, offline, context }: DiagnosticsRun,
  signal: AbortSignal,
): Promise<Finding[]> {
  const routes = upstreams.flatMap((upstream) =>
    context
      .kindOf(upstream)
      .baseUrls(upstream)
      .map((address) => {
        const proxy = config.proxies.chooseFor(upstream.proxy)(new URL(address));
        return { upstream: upstream.name, address, proxy };
      }),
  );
  if (offline) return [...listProxies(routes), offlineFinding];
  const ways = new Map(
    routes.map((route) => [`${new URL(route.address).origin} ${route.proxy?.label}`, route]),
  );
  const probes = await Promise.all(
    [...ways.values()].map(({ address, proxy }) => probeAddress(address, signal, proxy)),
  );
  return [...listProxies(routes, probes), ...checkClock(probes), ...probes.map(checkReachability)];
}

async function checkAccounts(
  upstreams: Promise<readonly UpstreamConfig[]>,
  run: DiagnosticsRun,
): Promise<Finding[]> {
  try {
    const findings = (await upstreams).map((upstream) => checkOneAccount(upstream, run));
    return (await Promise.all(findings)).flat();
  } catch (error) {
    return [{ what: doctorMessages.subjects.accounts, state: "fail", detail: describeFailure(error) }];
  }
}

/** Without a store no Kimi account is checked: refreshed tokens could not be saved, and the old ones would be invalid. */
async function checkOneAccount(
  upstream: UpstreamConfig,
  { config, store, offline, signal, context }: DiagnosticsRun,
): Promise<Finding[]> {
  const what = doctorMessages.account(upstream.name);
  if (!store && context.kindOf(upstream).credentials === "tokens") {
    const detail = doctorMessages.notTriedWithoutStore;
    return [{ what, state: "warn", detail, remedy: doctorMessages.mendStore }];
  }
  let opened: Upstream | undefined;
  try {
    opened = await context.openUpstream(upstream, store, config.proxies);
    return await checkAccount(opened, { offline, store, signal });
  } catch (error) {
    return [{ what, state: "fail", detail: describeFailure(error) }];
  } finally {
    await opened?.close();
  }
}
