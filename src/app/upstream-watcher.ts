import { isDeepStrictEqual } from "node:util";
import type { FastifyBaseLogger } from "fastify";
import { type ActiveUpstream, ActiveUpstreams } from "../chat/active-upstreams.js";
import type { UpstreamGuards } from "../chat/failover.js";
import type { Config } from "../config/schema.js";
import type { UpstreamConfig } from "../config/upstream-settings.js";
import { limits } from "../core/limits.js";
import type { Store } from "../core/store.js";
import type { Upstream } from "../core/types.js";
import { configuredUpstreams } from "./configured-upstreams.js";

export type UpstreamWatcherOptions = {
  config: Config;
  store: Store;
  log: FastifyBaseLogger;
  openUpstream(config: UpstreamConfig): Promise<Upstream>;
  createGuards(config: UpstreamConfig): UpstreamGuards;
};

/** An open upstream with the configuration that it was opened with. */
type Opened = { config: UpstreamConfig; active: ActiveUpstream };

type Replacement = { configured: readonly UpstreamConfig[]; onReplaced?: () => void };

/**
 * Opens the upstreams, and again when `moonbridge login` or a new configuration changes which there are: the first account
 * takes the place of the simulator, another account is added, and a login for another site reopens its account there.
 */
export class UpstreamWatcher {
  readonly upstreams: ActiveUpstreams;
  readonly #options: UpstreamWatcherOptions;
  readonly #warn: (message: string, error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #configured: readonly UpstreamConfig[];
  #opened: readonly Opened[];
  /** The last of the changes, which are made one after the other. Never rejects. */
  #lastChange: Promise<unknown> = Promise.resolve();
  #isReloading = false;
  #hasFailed = false;

  private constructor(options: UpstreamWatcherOptions, opened: readonly Opened[]) {
    const warn = (message: string, error: unknown) => options.log.warn({ error }, message);
    this.#options = options;
    this.#configured = options.config.upstreams;
    this.#warn = warn;
    this.#opened = opened;
    this.upstreams = new ActiveUpstreams(
      opened.map(({ active }) => active),
      warn,
    );
    this.#timer = setInterval(() => this.#reload(), limits.upstreamReload).unref();
  }

  /** Opens the upstreams of the configuration and the store. Throws what opening one of them throws. */
  static async open(options: UpstreamWatcherOptions): Promise<UpstreamWatcher> {
    const configs = await configuredUpstreams(options.config, options.store);
    return new UpstreamWatcher(options, await openAll(configs, [], options));
  }

  /** Stops watching. The upstreams stay open. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#lastChange;
  }

  /**
   * From now on these are the configured upstreams. Answers in progress end on the upstreams that they began with.
   * `onReplaced` is called together with the change, so that no request meets the one without the other. Throws what opening
   * one of them throws; then nothing changes.
   */
  replaceConfigured(upstreams: readonly UpstreamConfig[], onReplaced: () => void): Promise<void> {
    return this.#change({ configured: upstreams, onReplaced });
  }

  /** Looks for changes of the stored logins at once. Throws what opening an upstream throws; then nothing changes. */
  refresh(): Promise<void> {
    return this.#change();
  }

  /** Opens what has changed once the change before is made; without `replacement` the present configuration stays. */
  #change(replacement?: Replacement): Promise<void> {
    const change = this.#lastChange.then(() =>
      this.#reopenChanged(replacement ?? { configured: this.#configured }),
    );
    this.#lastChange = change.catch(() => {});
    return change;
  }

  #reload(): void {
    if (this.#isReloading) return;
    this.#isReloading = true;
    this.#change()
      .then(() => {
        this.#hasFailed = false;
      })
      .catch((error: unknown) => {
        if (!this.#hasFailed) this.#warn("the stored logins could not be looked up", error);
        this.#hasFailed = true;
      })
      .finally(() => {
        this.#isReloading = false;
      });
  }

  async #reopenChanged({ configured, onReplaced }: Replacement): Promise<void> {
    const { store, log } = this.#options;
    const configs = await configuredUpstreams({ upstreams: configured }, store);
    const opened = await openAll(configs, this.#opened, this.#options);
    this.#configured = configured;
    onReplaced?.();
    const isUnchanged =
      opened.length === this.#opened.length && opened.every((each, index) => each === this.#opened[index]);
    if (isUnchanged) return;
    this.#opened = opened;
    this.upstreams.replace(this.#opened.map(({ active }) => active));
    log.info({ upstreams: configs.map(({ name }) => name) }, "the upstreams have changed");
  }
}

/**
 * Opens the upstreams that are not among `opened`; if one fails, closes the others again and throws. An upstream of the same
 * name, kind, concurrency and spacing keeps its queue and circuit breaker.
 */
async function openAll(
  configs: readonly UpstreamConfig[],
  opened: readonly Opened[],
  { openUpstream, createGuards }: UpstreamWatcherOptions,
): Promise<Opened[]> {
  const open = async (config: UpstreamConfig): Promise<Opened> => {
    const before = opened.find((each) => each.config.name === config.name);
    if (before && isDeepStrictEqual(before.config, config)) return before;
    const guards =
      before && haveSameGuards(before.config, config) ? before.active.guards : createGuards(config);
    return {
      config,
      active: { upstream: await openUpstream(config), guards, toolMode: config.tools ?? "emulate" },
    };
  };
  const results = await Promise.allSettled(configs.map(open));
  const all = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failure = results.find((result) => result.status === "rejected");
  if (!failure) return all;
  const added = all.filter((each) => !opened.includes(each));
  await Promise.all(added.map(({ active }) => active.upstream.close()));
  throw failure.reason;
}

function haveSameGuards(one: UpstreamConfig, other: UpstreamConfig): boolean {
  return (
    one.kind === other.kind &&
    one.concurrency === other.concurrency &&
    one.minSecondsBetweenStarts === other.minSecondsBetweenStarts
  );
}
