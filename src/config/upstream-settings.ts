import { type TObject, Type } from "@sinclair/typebox";
import type { ToolMode } from "../core/types.js";
import { configMessages } from "../i18n/config-messages.js";
import { type Message, untranslated } from "../i18n/text.js";
import { directSetting } from "../proxy/proxy-rules.js";
import { ProxyServer } from "../proxy/proxy-server.js";
import { proxyDescription } from "./field-schemas.js";
import { ConfigError, checkSchema } from "./validate.js";

/** An entry of `upstreams`, valid for its kind. Its other settings are known to its kind only. */
export type UpstreamConfig = {
  name: string;
  kind: string;
  /** Concurrent answers; undefined means the kind's default. */
  concurrency?: number;
  /** Default: 0. */
  minSecondsBetweenStarts?: number;
  /** Default: `emulate`. */
  tools?: ToolMode;
  /** The address of a proxy or `none`; undefined means that of the environment. */
  proxy?: string;
  /** The ids of the only models that it offers. */
  models?: string[];
  [setting: string]: unknown;
};

/** What the configuration needs to know of an upstream kind. */
export type UpstreamSettings = {
  kind: string;
  schema: TObject;
  /**
   * Validates an entry and returns it with its tokens and keys as they are sent. `path`: where the entry is in the
   * configuration; `warnings` gets a sentence about each setting that is not used. Throws ConfigError.
   */
  parse(entry: unknown, path: string, warnings: Message[]): UpstreamConfig;
};

/** Validates each entry by its kind. Throws ConfigError. */
export function parseUpstreams(
  entries: readonly unknown[],
  kinds: readonly UpstreamSettings[],
  warnings: Message[],
): UpstreamConfig[] {
  const description = kinds.map(({ kind }) => kind).join(" or ");
  const EntrySchema = Type.Object({ kind: Type.String({ description }) });
  return entries.map((entry, index) => {
    const path = `upstreams[${index}]`;
    const { kind } = checkSchema(entry, EntrySchema, path);
    const settings = kinds.find((each) => each.kind === kind);
    if (!settings)
      throw new ConfigError(configMessages.expected(untranslated(`${path}.kind`), description, "fine"));
    const upstream = settings.parse(entry, path, warnings);
    checkProxy(upstream.proxy, `${path}.proxy`);
    return upstream;
  });
}

/** Throws ConfigError, which quotes no part of the address, since it may have a password. */
function checkProxy(proxy: string | undefined, path: string): void {
  if (proxy === undefined || proxy === directSetting || ProxyServer.parse(proxy)) return;
  throw new ConfigError(configMessages.expected(untranslated(path), proxyDescription, "fine"));
}
