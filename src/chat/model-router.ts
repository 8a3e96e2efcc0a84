import { GatewayError, toGatewayError } from "../core/errors.js";
import type { ChatRequest, CitationMode, Model, Principal, Thinking, Upstream } from "../core/types.js";

/** Names of the upstream's default chat model; `moonshot-v1` is the one that users of kimi-free-api have configured. */
export const modelAliases = ["moonshot-v1", "kimi"] as const;

/** Suffixes of a model's name, for UIs that can only pick a model: `kimi-thinking-search`. */
export const modelSuffixes = ["thinking", "search", "nosearch", "silent", "vision"] as const;
type ModelSuffix = (typeof modelSuffixes)[number];

/** An upstream that may answer a request, with the model and the resolved settings. */
export type Route = {
  upstream: Upstream;
  model: Model;
  /** Undefined: neither requested nor forbidden. */
  search: boolean | undefined;
  /** Undefined: the upstream's default. */
  thinking: Thinking | undefined;
  /** Undefined: set neither by the request nor by a suffix. */
  citations: CitationMode | undefined;
  /** By a setting of the request or by a suffix, whatever the model offers. */
  asksForThinkingOrSearch: boolean;
};

/** What a request is routed by. */
type RoutedRequest = Pick<ChatRequest, "principal" | "model" | "signal"> &
  Partial<Pick<ChatRequest, "search" | "thinking" | "citations">>;

/** Weakest first. */
const thinkingOrder: Thinking[] = ["off", "low", "high", "max"];

/** Upstream names by model name, in order of preference. A model name may exist only here. */
export type RoutingTable = Readonly<Record<string, readonly string[]>>;

/** The models of an upstream; none, with `failure`, if its catalogue call failed. */
export type AvailableModels = { upstream: Upstream; models: Model[]; failure?: GatewayError };

/**
 * Resolves the request's model to routes in order of preference. Only a model in `routes` has more than one. A setting
 * of the request wins over a suffix of the name. Throws `model_not_found`, or the failure of an upstream whose models
 * are unknown.
 */
export async function resolveRoutes(
  request: RoutedRequest,
  upstreams: readonly Upstream[],
  routes: RoutingTable,
): Promise<[Route, ...Route[]]> {
  const { principal } = request;
  const available = await listAvailableModels(principal, upstreams, request.signal);
  const { base, suffixes } = parseModelName(request.model, available, routes);
  if (!isModelAllowed(principal, request.model, available, routes)) {
    throw new GatewayError(
      "model_not_found",
      `This key may use ${principal.models?.map(printable).join(", ").slice(0, 400)}. “${printable(request.model)}” is not among them.`,
      { param: "model" },
    );
  }
  if (request.search && suffixes.has("nosearch")) {
    // For the key this is a request for the model that searches.
    const searching = request.model.replace(/-nosearch/gi, "");
    if (!isModelAllowed(principal, searching, available, routes)) {
      throw new GatewayError(
        "model_not_found",
        `This key may use “${printable(request.model)}” only without search. Leave out the parameter that asks for it.`,
        { param: "model" },
      );
    }
  }
  const routedNames = Object.hasOwn(routes, base) ? routes[base] : undefined;
  const ordered = orderByName(available, routedNames);
  const thinking = request.thinking ?? (suffixes.has("thinking") ? "high" : undefined);
  const search = request.search ?? searchFrom(suffixes);
  const asksForThinkingOrSearch = search === true || (thinking !== undefined && thinking !== "off");
  const resolved = ordered
    .flatMap((entry) => findModel(entry, base, routedNames !== undefined))
    .map(({ upstream, model }) => ({
      upstream,
      model,
      search,
      thinking: thinking && nearestThinking(thinking, model.thinking),
      citations: request.citations ?? (suffixes.has("silent") ? ("off" as const) : undefined),
      asksForThinkingOrSearch,
    }));
  const [first, ...others] = resolved;
  if (!first) throw ordered.find(({ failure }) => failure)?.failure ?? modelNotFound(request.model);
  // Another upstream may be another account or cost money: fail over only to those that `routes` names.
  return routedNames ? [first, ...others] : [first];
}

/** The models of each upstream that the principal may use. A failing upstream does not affect the others. */
export async function listAvailableModels(
  { upstreams: names }: Pick<Principal, "upstreams">,
  upstreams: readonly Upstream[],
  signal: AbortSignal,
): Promise<AvailableModels[]> {
  const permitted = upstreams.filter(({ name }) => names?.includes(name) ?? true);
  return Promise.all(
    permitted.map(async (upstream): Promise<AvailableModels> => {
      try {
        return { upstream, models: await upstream.models(signal) };
      } catch (error) {
        return { upstream, models: [], failure: toGatewayError(error) };
      }
    }),
  );
}

/** Whether the principal may use this model: it is one of the key's models, or one of them with more suffixes. */
export function isModelAllowed(
  { models = ["*"] }: Pick<Principal, "models">,
  name: string,
  available: readonly AvailableModels[],
  routes: RoutingTable,
): boolean {
  if (models.includes("*") || models.includes(name)) return true;
  const requested = parseModelName(name, available, routes);
  return models.some((model) => {
    const { base, suffixes } = parseModelName(model, available, routes);
    return base === requested.base && [...suffixes].every((suffix) => requested.suffixes.has(suffix));
  });
}

function searchFrom(suffixes: ReadonlySet<ModelSuffix>): boolean | undefined {
  if (suffixes.has("nosearch")) return false;
  return suffixes.has("search") ? true : undefined;
}

/** Removes suffixes until a known model is left. A catalogue may have names that end like a suffix. */
function parseModelName(
  name: string,
  available: readonly AvailableModels[],
  routes: RoutingTable,
): { base: string; suffixes: Set<ModelSuffix> } {
  const ids = available.flatMap((entry) => entry.models.map((model) => model.id));
  const knownNames = new Set<string>([...modelAliases, ...Object.keys(routes), ...ids]);
  const found = new Set<ModelSuffix>();
  let base = name;
  while (!knownNames.has(base) && !available.some(({ upstream }) => upstream.findModel?.(base))) {
    const suffix = modelSuffixes.find((candidate) => base.endsWith(`-${candidate}`));
    if (!suffix) break;
    found.add(suffix);
    base = base.slice(0, -suffix.length - 1);
  }
  return { base, suffixes: found };
}

function orderByName(
  available: readonly AvailableModels[],
  names: readonly string[] | undefined,
): readonly AvailableModels[] {
  if (!names) return available;
  return names.flatMap((name) => available.filter((entry) => entry.upstream.name === name));
}

/** A name that exists only in `routes` means the default model of the routed upstream. */
function findModel(
  { upstream, models }: AvailableModels,
  base: string,
  isRouted: boolean,
): { upstream: Upstream; model: Model }[] {
  const meansDefault = isRouted || modelAliases.some((alias) => alias === base);
  const model =
    models.find(({ id }) => id === base) ??
    upstream.findModel?.(base) ??
    (meansDefault ? models.find((each) => each.isDefault) : undefined);
  return model ? [{ upstream, model }] : [];
}

/** The strongest offered effort that is not stronger than the requested one, else the weakest offered. */
function nearestThinking(requested: Thinking, offered: readonly Thinking[]): Thinking {
  const allowed = offered.filter(
    (effort) => thinkingOrder.indexOf(effort) <= thinkingOrder.indexOf(requested),
  );
  return allowed.at(-1) ?? offered[0] ?? "off";
}

function modelNotFound(name: string): GatewayError {
  return new GatewayError(
    "model_not_found",
    `There is no model “${printable(name)}”. GET /v1/models lists what there is; “kimi” always works.`,
    { param: "model" },
  );
}

function printable(name: string): string {
  return name.replace(/[^\w.:/@-]/g, "?").slice(0, 80);
}
