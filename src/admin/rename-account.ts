import { Value } from "@sinclair/typebox/value";
import { acquireAccountLock } from "../accounts/account-lock.js";
import { NameSchema } from "../config/field-schemas.js";
import type { Config } from "../config/schema.js";
import type { KeySettings, Store } from "../core/store.js";
import { accountMessages as messages } from "../i18n/account-messages.js";
import type { LocalizedText } from "../i18n/text.js";

/** `warnings`: settings of the configuration that still have the old name. */
export type AccountRename =
  | { kind: "renamed"; warnings: readonly LocalizedText[] }
  | { kind: "unknown" | "refused"; reason: LocalizedText };

type NamingSettings = Pick<Config, "upstreams" | "keys" | "routes" | "modelAliases">;

/**
 * Gives an account from a login another name: its login, its chats, and the stored API keys that name it. Throws the store's
 * error, and `upstream_unavailable` while a process goes on renewing its tokens.
 */
export async function renameAccount(
  { from, to }: { from: string; to: string },
  { store, config }: { store: Store; config: NamingSettings },
): Promise<AccountRename> {
  const configured = config.upstreams.map(({ name }) => name);
  const isName: boolean = Value.Check(NameSchema, to);
  if (!isName) return refused(messages.invalidName(to.slice(0, 64)));
  if (configured.includes(from)) return refused(messages.isConfigured(from));
  if (!(await store.findCredentials(from))) return { kind: "unknown", reason: messages.noSuchAccount(from) };
  if (configured.includes(to) || from === to) return refused(messages.nameIsTaken(to));
  // A refresh that ends afterwards would store its tokens under the old name.
  const { release } = await acquireAccountLock(store, from);
  try {
    if (!(await store.renameAccount(from, to))) return refused(messages.nameIsTaken(to));
  } finally {
    await release();
  }
  for (const { name, settings } of await store.listKeys()) {
    const renamed = renameInKey(settings, from, to);
    if (renamed) await store.updateKey(name, renamed);
  }
  const left = settingsThatName(from, config);
  return { kind: "renamed", warnings: left.map((setting) => messages.stillNamed(setting, from, to)) };
}

function refused(reason: LocalizedText): AccountRename {
  return { kind: "refused", reason };
}

/** The settings with the new name; undefined if the old one is not in them. */
function renameInKey(settings: KeySettings, from: string, to: string): KeySettings | undefined {
  const { upstreams, models } = settings;
  const isNamed = upstreams?.includes(from) || models?.some((model) => isModelOf(model, from));
  if (!isNamed) return undefined;
  return {
    ...settings,
    ...(upstreams ? { upstreams: upstreams.map((name) => (name === from ? to : name)) } : {}),
    ...(models
      ? { models: models.map((model) => (isModelOf(model, from) ? to + model.slice(from.length) : model)) }
      : {}),
  };
}

/** The paths of the settings that name the account, alone or in front of a model. */
function settingsThatName(account: string, { keys, routes, modelAliases }: NamingSettings): string[] {
  const ofKeys = keys.flatMap(({ upstreams = [], models = [] }, index) => [
    ...(upstreams.includes(account) ? [`keys[${index}].upstreams`] : []),
    ...(models.some((model) => isModelOf(model, account)) ? [`keys[${index}].models`] : []),
  ]);
  const ofRoutes = Object.entries(routes).flatMap(([model, names]) =>
    names.includes(account) ? [`routes.${model}`] : [],
  );
  const ofAliases = Object.entries(modelAliases).flatMap(([alias, model]) =>
    isModelOf(model, account) ? [`modelAliases.${alias}`] : [],
  );
  return [...ofKeys, ...ofRoutes, ...ofAliases];
}

/** Whether the model is named with this account in front, as `account/model`. */
function isModelOf(model: string, account: string): boolean {
  return model.toLowerCase().startsWith(`${account.toLowerCase()}/`);
}
