import { configMessages } from "../i18n/config-messages.js";
import type { UpstreamConfig } from "./upstream-settings.js";
import { ConfigError } from "./validate.js";

type ModelNameSettings = { routes: Record<string, string[]>; modelAliases: Record<string, string> };

/**
 * Checks `routes` and `modelAliases`: the upstreams exist, and each name has one meaning. Letter case and space around a
 * name make no difference. Throws ConfigError.
 */
export function checkModelNames(
  { routes, modelAliases }: ModelNameSettings,
  upstreams: readonly UpstreamConfig[],
): void {
  for (const [model, names] of Object.entries(routes)) {
    const unknown = names.find((name) => !upstreams.some((upstream) => upstream.name === name));
    if (unknown !== undefined)
      throw new ConfigError(configMessages.noSuchUpstream(`routes.${model}`, unknown));
  }
  const configured = [
    ...Object.keys(routes).map((name) => ({ name, setting: `routes.${name}` })),
    ...Object.keys(modelAliases).map((name) => ({ name, setting: `modelAliases.${name}` })),
  ];
  checkClashes(configured);
  for (const { name, setting } of configured) {
    if (name.trim() !== name || name === "") throw new ConfigError(configMessages.modelNameHasSpace(setting));
    checkPrefix(name, setting, upstreams);
  }
  checkAliases(modelAliases);
  checkOwnNames(upstreams);
}

function checkClashes(names: readonly { name: string; setting: string }[]): void {
  const settings = new Map<string, string>();
  for (const { name, setting } of names) {
    const key = name.trim().toLowerCase();
    const other = settings.get(key);
    if (other !== undefined) throw new ConfigError(configMessages.modelNameIsTaken(setting, other));
    settings.set(key, setting);
  }
}

function checkAliases(modelAliases: Record<string, string>): void {
  const aliases = new Set(Object.keys(modelAliases).map((alias) => alias.toLowerCase()));
  for (const [alias, model] of Object.entries(modelAliases)) {
    const name = model.trim().toLowerCase();
    if (name.includes("*")) throw new ConfigError(configMessages.aliasOfPattern(`modelAliases.${alias}`));
    if (name !== alias.toLowerCase() && aliases.has(name))
      throw new ConfigError(configMessages.aliasOfAlias(`modelAliases.${alias}`, model));
  }
}

/** The model ids that upstreams are configured with. */
function checkOwnNames(upstreams: readonly UpstreamConfig[]): void {
  upstreams.forEach((upstream, index) => {
    const others = upstreams.filter((other) => other !== upstream);
    upstream.models?.forEach((id, position) => {
      checkPrefix(id, `upstreams[${index}].models[${position}]`, others);
    });
  });
}

/** `upstream/model` already means a model of that upstream. */
function checkPrefix(name: string, setting: string, upstreams: readonly UpstreamConfig[]): void {
  const prefix = name.slice(0, Math.max(name.indexOf("/"), 0)).toLowerCase();
  const upstream = upstreams.find((each) => each.name.toLowerCase() === prefix);
  if (upstream) throw new ConfigError(configMessages.upstreamPrefix(setting, upstream.name));
}
