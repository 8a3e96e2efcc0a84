import { resolve } from "node:path";
import { configMessages } from "../i18n/config-messages.js";
import { baseFolder, type ConfigFileLocation } from "./file-locations.js";
import { ConfigError } from "./validate.js";

/** Where the store is. `path` is absolute; `url` may contain a password, so that it is not for messages. */
export type StoreLocation = { kind: "sqlite"; path: string } | { kind: "redis"; url: string };

/** Reads `sqlite:` and a path, which is relative to the config file's folder, or a Redis URL. Throws ConfigError. */
export function parseStoreLocation(setting: string, configFile: ConfigFileLocation): StoreLocation {
  if (setting.startsWith("sqlite:"))
    return { kind: "sqlite", path: resolve(baseFolder(configFile), setting.slice("sqlite:".length)) };
  if (!isRedisUrl(setting)) throw new ConfigError(configMessages.expectedRedisUrl);
  return { kind: "redis", url: setting };
}

function isRedisUrl(setting: string): boolean {
  if (!URL.canParse(setting)) return false;
  const { protocol, hostname, pathname, search, hash } = new URL(setting);
  return (
    /^rediss?:$/.test(protocol) && hostname !== "" && /^(\/\d{0,5})?$/.test(pathname) && search + hash === ""
  );
}

/** For messages: the path, or the URL without user and password. */
export function describeStore(store: StoreLocation): string {
  return store.kind === "sqlite" ? store.path : withoutCredentials(store.url);
}

/** The Redis URL without user and password: `redis://host:6379/0`. */
export function withoutCredentials(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
}
