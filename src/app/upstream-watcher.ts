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

/**
 * Opens the upstreams, and again when `moonbridge login` changes which there are: the first account takes the place of the
 * simulator, another account is added, and a login for another site reopens its account there.
 */
export class UpstreamWatcher {
  readonly upstreams: ActiveUpstreams;
  readonly #options: UpstreamWatcherOptions;
  readonly #warn: (message: string, error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #opened: readonly Opened[];
  #reloading: Promise<void> | undefined;
  #hasFailed = false;

  private constructor(options: UpstreamWatcherOptions, opened: readonly Opened[]) {
    const warn = (message: string, error: unknown) => options.log.warn({ error }, message);
    this.#options = options;
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
    await this.#reloading;
  }

  #reload(): void {
    this.#reloading ??= this.#reopenChanged()
      .then(() => {
        this.#hasFailed = false;
      })
      .catch((error: unknown) => {
        if (!this.#hasFailed) this.#warn("the stored logins could not be looked up", error);
        this.#hasFailed = true;
      })
      .finally(() => {
        this.#reloading = undefined;
      });
  }

  async #reopenChanged(): Promise<void> {
    const { config, store, log } = this.#options;
    const configs = await configuredUpstreams(config, store);
    const opened = await openAll(configs, this.#opened, this.#options);
    const isUnchanged =
      opened.length === this.#opened.length && opened.every((each, index) => each === this.#opened[index]);
    if (isUnchanged) return;
    this.#opened = opened;
    this.upstreams.replace(this.#opened.map(({ active }) => active));
    log.info({ upstreams: configs.map(({ name }) => name) }, "a login has changed the upstreams");
  }
}

/**
 * Opens the upstreams that are not among `opened`; if one fails, closes the others again and throws. An upstream of the same
 * name and kind keeps its queue and metrics.
 */
async function openAll(
  configs: readonly UpstreamConfig[],
  opened: readonly Opened[],
  { openUpstream, createGuards }: UpstreamWatcherOptions,
): Promise<Opened[]> {
  const open = async (config: UpstreamConfig): Promise<Opened> => {
    const before = opened.find((each) => each.config.name === config.name);
    if (before && isDeepStrictEqual(before.config, config)) return before;
    const guards = before?.config.kind === config.kind ? before.active.guards : createGuards(config);
    return { config, active: { upstream: await openUpstream(config), guards } };
  };
  const results = await Promise.allSettled(configs.map(open));
  const all = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failure = results.find((result) => result.status === "rejected");
  if (!failure) return all;
  const added = all.filter((each) => !opened.includes(each));
  await Promise.all(added.map(({ active }) => active.upstream.close()));
  throw failure.reason;
}
