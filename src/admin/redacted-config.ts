import { homedir } from "node:os";
import type { Config } from "../config/schema.js";
import { describeStore } from "../config/store-location.js";
import type { JsonObject } from "../lib/json.js";

/** Settings of an upstream that are no secret; all others are left out. */
const upstreamFields = [
  ...["name", "kind", "baseUrl", "authUrl", "region", "models", "concurrency", "contextLength", "tools"],
  ...["siteVersion", "userAgent", "minSecondsBetweenStarts"],
];
const keyFields = [
  ...["name", "scopes", "models", "upstreams", "requestsPerMinute", "requestsPerDay", "tokensPerDay"],
  ...["concurrency", "expires", "chats", "citations", "tools", "visibleErrors"],
];

/**
 * The configuration for a bug report: names, numbers and choices. What may hold a secret is left out (keys, tokens, the
 * certificate's key, proxies, notifications), and the home folder is written as `~`.
 */
export function redactConfig(config: Config): JsonObject {
  const { server, chats, citations, streams, queue, files, tools, journal, log } = config;
  const { tls, ...listening } = server;
  return {
    configFile: config.configFile.kind === "none" ? null : withoutHome(config.configFile.path),
    server: { ...listening, tls: tls !== undefined },
    keys: config.keys.map((key) => pick(key, keyFields)),
    oauth: config.oauth !== undefined,
    upstreams: config.upstreams.map((upstream) => pick(upstream, upstreamFields)),
    ...{ routes: config.routes, modelAliases: config.modelAliases, chats, citations, streams, queue },
    files: { ...files, folder: withoutHome(files.folder) },
    ...{ tools, journal, log },
    sideRequestPatterns: config.sideRequestPatterns.length,
    notify: { command: config.notify.command !== undefined, webhook: config.notify.webhook !== undefined },
    store: withoutHome(describeStore(config.store)),
    isEncrypted: config.encryptionKeys.length > 0,
  };
}

function pick(settings: object, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => names.includes(name)));
}

function withoutHome(path: string): string {
  const home = homedir();
  return home.length > 1 && path.startsWith(home) ? `~${path.slice(home.length)}` : path;
}
