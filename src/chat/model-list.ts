import type { Feature, Model, Principal } from "../core/types.js";
import {
  type AvailableModels,
  defaultModelNames,
  discoveryModelName,
  exactNames,
  type ModelName,
  ModelNames,
  type ModelNameTables,
  modelSuffixes,
  platformModelNames,
} from "./model-names.js";
import { findChoices, type ModelAtUpstream, resolveModel } from "./model-router.js";

/** A model under one of its names, as `/v1/models` lists it, and what its upstream can do. */
export type ListedModel = Model & { upstream: string; simulated: boolean; features: ReadonlySet<Feature> };

/**
 * The models that the principal may use, by each of their names: the names of the default model, those of the
 * configuration, the upstreams' own, the platform's, and `upstream/model` if there are several upstreams. Those of the
 * default model and of Kimi's own models also with each suffix. No two are displayed alike.
 */
export function listModels(
  principal: Pick<Principal, "models">,
  available: readonly AvailableModels[],
  tables: ModelNameTables,
): ListedModel[] {
  const names = new ModelNames(available, tables);
  const listed = new Map<string, ListedModel>();
  const displayNames = new Set<string>();
  for (const name of namesToList(available, tables)) {
    if (listed.has(name)) continue;
    const parsed = names.parse(name);
    if (!names.isAllowed(principal, parsed)) continue;
    // Nobody answers for a route to an upstream that fails.
    const [choice] = findChoices(parsed, available, tables).choices;
    if (!choice || (parsed.suffixes.has("vision") && !choice.model.inputs.includes("image"))) continue;
    const model = toListedModel(parsed, choice);
    const displayName = displayNames.has(model.name) ? `${model.name} [${name}]` : model.name;
    displayNames.add(displayName);
    listed.set(name, { ...model, id: name, name: displayName });
  }
  return [...listed.values()];
}

/** The model of a name that a request may have, listed or not. Throws as `resolveModel` does. */
export function findListedModel(
  principal: Pick<Principal, "models">,
  name: string,
  available: readonly AvailableModels[],
  tables: ModelNameTables,
): ListedModel {
  const { parsed, choices } = resolveModel({ principal, model: name }, available, tables);
  return toListedModel(parsed, choices[0]);
}

function namesToList(
  available: readonly AvailableModels[],
  { routes, modelAliases }: ModelNameTables,
): string[] {
  const withSuffixes = (name: string) => [name, ...modelSuffixes.map((suffix) => `${name}-${suffix}`)];
  const ownNames = available.flatMap(({ upstream, models }) =>
    // A service with chats of its own is Kimi; the many models of other services would make the list endless.
    models.flatMap(({ id }) => (upstream.chatStructure === "none" ? [id] : withSuffixes(id))),
  );
  const atUpstreams = available.flatMap(({ upstream, models }) =>
    ["kimi", ...models.map(({ id }) => id)].map((id) => `${upstream.name}/${id}`),
  );
  return [
    ...defaultModelNames.flatMap(withSuffixes),
    ...exactNames(routes),
    ...exactNames(modelAliases),
    ...ownNames,
    ...platformModelNames,
    discoveryModelName,
    `${discoveryModelName}-thinking`,
    ...(available.length > 1 ? atUpstreams : []),
  ];
}

/** Displayed as “Kimi K2.6 (kimi, search)”: the model, then the name if it is another one, its suffixes and upstream. */
function toListedModel(parsed: ModelName, { upstream, model }: ModelAtUpstream): ListedModel {
  const details = [
    ...(parsed.name === model.id ? [] : [parsed.name]),
    ...parsed.suffixes,
    ...(parsed.upstream === undefined ? [] : [parsed.upstream]),
  ];
  const name = details.length > 0 ? `${model.name} (${details.join(", ")})` : model.name;
  return {
    ...model,
    id: parsed.spelling,
    name,
    upstream: upstream.name,
    simulated: upstream.simulated,
    features: upstream.features,
  };
}
