import type { FastifyBaseLogger } from "fastify";
import { AccountQueue } from "../accounts/queue.js";
import { Attachments } from "../chat/attachments.js";
import { Chat } from "../chat/chat-service.js";
import { Breaker } from "../chat/circuit-breaker.js";
import { Cleanup } from "../chat/cleanup.js";
import type { Gates } from "../chat/failover.js";
import { Chores } from "../chat/side-requests.js";
import type { Config } from "../config/schema.js";
import type { UpstreamConfig } from "../config/upstream-schema.js";
import type { KimiSite } from "../core/kimi-site.js";
import { limits } from "../core/limits.js";
import type { Store } from "../core/store.js";
import type { Upstream } from "../core/types.js";
import { fetchAsDataUrl } from "../files/data-url.js";
import { LinkFetcher } from "../files/link-fetcher.js";
import { FileShelf } from "../files/local-file-store.js";
import { Guard } from "../files/ssrf-guard.js";
import { Uploads } from "../files/uploads.js";
import { BoundedMap } from "../lib/bounded-map.js";
import { Metrics } from "../observability/metrics.js";
import { Drift } from "../observability/protocol-drift.js";
import type { Recorder } from "../observability/recording/recorder.js";
import { SqliteStore } from "../store/sqlite/store.js";
import type { Patience } from "../upstreams/context.js";
import { openUpstream } from "../upstreams/registry.js";

/** Everything behind the server, opened and joined as the configuration says. */
export type House = {
  chat: Chat;
  store: Store;
  cleanup: Cleanup;
  drift: Drift;
  metrics: Metrics;
  upstreams: readonly Upstream[];
  close(): Promise<void>;
};

/** Opens the house. Throws StoreError where its state cannot be read; asks nothing of any upstream yet. */
export async function openHouse(
  config: Config,
  log: FastifyBaseLogger,
  { patience, recorder }: { patience?: Patience | undefined; recorder?: Recorder | undefined } = {},
): Promise<House> {
  const store = await SqliteStore.open(config.storePath, config.sealKeys);
  const drift = new Drift((entry) => log.warn(entry, "Kimi sent something that Moonbridge does not know"));
  const warn = (message: string, error: unknown) => log.warn({ error }, message);
  const { folder, maxBytes, allowPrivateLinks, promptLinks } = config.files;
  const guard = new Guard({ allowPrivate: allowPrivateLinks });
  const links = new LinkFetcher(guard, { bounds: { file: maxBytes } });
  const inline = (url: string, signal: AbortSignal) => fetchAsDataUrl(links, url, signal);
  const surroundings = { store, drift, warn, inline, recorder, ...(patience ? { patience } : {}) };
  const configured = await upstreamsOf(config, store);
  const upstreams = await Promise.all(configured.map((upstream) => openUpstream(upstream, surroundings)));
  const metrics = new Metrics();
  const gates = new Map(
    configured.map((upstream) => [upstream.name, gatesFor(upstream, { config, log, metrics })]),
  );
  const cleanup = new Cleanup(store, upstreams, warn);
  const files = await FileShelf.open(folder, store, maxBytes);
  const uploads = new Uploads(store, { shelf: files, links });
  const { routes, chats, citations } = config;
  const chat = new Chat({
    upstreams,
    gates,
    routes,
    store,
    cleanup,
    chats,
    citations,
    chores: new Chores(config.chores),
    counts: new BoundedMap(limits.countedHistories),
    files,
    attachments: new Attachments(uploads, promptLinks === "documents" ? links : undefined),
    warn,
  });
  const close = async () => {
    await chat.close();
    await recorder?.close();
    await store.close();
  };
  metrics.watch(
    () => chat.status(),
    () => drift.entries(),
  );
  return { chat, store, cleanup, drift, metrics, upstreams, close };
}

/** The configured upstreams; without any, the accounts of `moonbridge login`; without those, the simulator. */
export async function upstreamsOf({ upstreams }: Config, store: Store): Promise<UpstreamConfig[]> {
  const sites = new Map<string, KimiSite>();
  for (const account of await store.accounts()) {
    const site = (await store.credentials(account))?.site;
    if (site) sites.set(account, site);
  }
  if (upstreams.length > 0) {
    return upstreams.map((upstream) =>
      upstream.kind === "kimi-web" && !upstream.baseUrl
        ? { ...sites.get(upstream.name), ...upstream }
        : upstream,
    );
  }
  const logins = [...sites].map(([name, site]) => ({ name, kind: "kimi-web", ...site }) as const);
  return logins.length > 0 ? logins : [{ name: "simulator", kind: "simulator" }];
}

/** Answers at a time where the config does not say: what Kimi's own site lets one person do. */
const defaultConcurrency: Record<UpstreamConfig["kind"], number> = {
  "kimi-web": 2,
  // One stream of a user at a time (kimi-web.md §1.6).
  "kimi-legacy": 1,
  openai: 100,
  simulator: 1_000,
};

function gatesFor(
  upstream: UpstreamConfig,
  { config: { queue }, log, metrics }: { config: Config; log: FastifyBaseLogger; metrics: Metrics },
): Gates {
  const { name, kind } = upstream;
  const given = "concurrency" in upstream ? upstream.concurrency : undefined;
  const options = {
    concurrency: given ?? defaultConcurrency[kind],
    depth: queue.depth,
    wait: queue.waitSeconds * 1_000,
    tell: ({ position }: { position: number }) =>
      log.info({ upstream: name, position }, "a request waits for its turn"),
  };
  return {
    queue: new AccountQueue(options),
    breaker: new Breaker(),
    observe: (outcome, { waited, first }) => metrics.answer({ upstream: name, outcome, waited, first }),
  };
}
