import type { FastifyBaseLogger } from "fastify";
import { Chat } from "../chat/chat.js";
import { Chores } from "../chat/chores.js";
import { Cleanup } from "../chat/cleanup.js";
import type { Upstream } from "../chat/types.js";
import type { Config, UpstreamConfig } from "../config/schema.js";
import { Uploads } from "../files/uploads.js";
import { Drift } from "../observability/drift.js";
import { SqliteStore } from "../store/sqlite.js";
import type { Store } from "../store/store.js";
import type { Patience } from "../upstreams/kimi-web/upstream.js";
import { openUpstream } from "../upstreams/registry.js";

/** Everything behind the server, opened and joined as the configuration says. */
export type House = {
  chat: Chat;
  store: Store;
  cleanup: Cleanup;
  drift: Drift;
  upstreams: readonly Upstream[];
  close(): Promise<void>;
};

/** Opens the house. Throws StoreError where its state cannot be read; asks nothing of any upstream yet. */
export async function openHouse(config: Config, log: FastifyBaseLogger, patience?: Patience): Promise<House> {
  const store = await SqliteStore.open(config.storePath, config.sealKeys);
  const drift = new Drift((entry) => log.warn(entry, "Kimi sent something that Moonbridge does not know"));
  const warn = (message: string, error: unknown) => log.warn({ error }, message);
  const surroundings = { store, drift, warn, ...(patience ? { patience } : {}) };
  const upstreams = await Promise.all(
    configuredUpstreams(config).map((upstream) => openUpstream(upstream, surroundings)),
  );
  const cleanup = new Cleanup(store, upstreams, warn);
  const { routes, chats, citations } = config;
  const chat = new Chat({
    upstreams,
    routes,
    store,
    cleanup,
    chats,
    citations,
    chores: new Chores(config.chores),
    uploads: new Uploads(store),
    warn,
  });
  const close = async () => {
    await chat.close();
    await store.close();
  };
  return { chat, store, cleanup, drift, upstreams, close };
}

/** Without an account the simulator answers. */
function configuredUpstreams({ upstreams }: Config): UpstreamConfig[] {
  return upstreams.length > 0 ? upstreams : [{ name: "simulator", kind: "simulator" }];
}
