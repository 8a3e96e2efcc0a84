import type { TObject } from "@sinclair/typebox";
import type { UpstreamConfig, UpstreamSettings } from "../config/upstream-settings.js";
import { checkSchema } from "../config/validate.js";
import type { Upstream } from "../core/types.js";
import type { Message } from "../i18n/text.js";
import type { UpstreamContext } from "./context.js";

/** Everything that differs between kinds of upstreams; `registry.ts` lists them. */
export type UpstreamKind<Settings extends UpstreamConfig = UpstreamConfig> = UpstreamSettings & {
  /** Concurrent answers of an upstream whose settings give no number. */
  defaultConcurrency: number;
  /**
   * What its upstreams sign in with. `tokens`: those of a Kimi account, which are renewed and would be lost without a
   * store. `api-key`: a key that stays as it is, if the service wants one. `none`: there is no account.
   */
  credentials: "tokens" | "api-key" | "none";
  /** Whether the entry is of this kind. */
  is(config: UpstreamConfig): config is Settings;
  /** The base URLs that requests are sent to; none without a network. */
  baseUrls(config: UpstreamConfig): string[];
  /** Opens the upstream of an entry of this kind. Sends no request yet. */
  open(config: UpstreamConfig, context: UpstreamContext): Promise<Upstream>;
};

type Definition<Settings extends UpstreamConfig> = Pick<
  UpstreamKind,
  "defaultConcurrency" | "credentials"
> & {
  kind: Settings["kind"];
  schema: TObject & { static: Settings };
  /** Reads secrets, and checks what the schema cannot express; see `UpstreamSettings.parse`. */
  readSettings?(settings: Settings, path: string, warnings: Message[]): UpstreamConfig;
  baseUrls(settings: Settings): string[];
  open(settings: Settings, context: UpstreamContext): Promise<Upstream>;
};

/** A kind whose functions get the settings of an entry in the types of the schema. */
export function defineUpstreamKind<Settings extends UpstreamConfig>(
  definition: Definition<Settings>,
): UpstreamKind<Settings> {
  const { kind, schema, defaultConcurrency, credentials } = definition;
  const settingsOf = (config: UpstreamConfig): Settings => checkSchema(config, schema, config.name);
  return {
    kind,
    schema,
    defaultConcurrency,
    credentials,
    is: (config): config is Settings => config.kind === kind,
    parse: (entry, path, warnings) => {
      const settings: Settings = checkSchema(entry, schema, path);
      return definition.readSettings?.(settings, path, warnings) ?? settings;
    },
    baseUrls: (config) => definition.baseUrls(settingsOf(config)),
    open: async (config, context) => definition.open(settingsOf(config), context),
  };
}
