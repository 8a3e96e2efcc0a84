import { GatewayError, toGatewayError } from "../core/errors.js";
import type { ChatRequest, CitationMode, Model, Principal, Thinking, Upstream } from "../core/types.js";
import {
  type AvailableModels,
  defaultModelNames,
  findRoute,
  type ModelName,
  ModelNames,
  type ModelNameTables,
  type ModelSuffix,
} from "./model-names.js";

/** An upstream that may answer a request, with the model and the resolved settings. */
export type Route = {
  upstream: Upstream;
  model: Model;
  /** The requested name, in the spelling of the list of models. */
  modelName: string;
  /** Undefined: neither requested nor forbidden. */
  search: boolean | undefined;
  /** Undefined: the upstream's default. */
  thinking: Thinking | undefined;
  /** Undefined: set neither by the request nor by a suffix. */
  citations: CitationMode | undefined;
  /** By a setting of the request or by a suffix, whatever the model offers. */
  asksForThinkingOrSearch: boolean;
};

/** Who asks for which model; `search`: a parameter asks for a search. */
type NamedRequest = { principal: Pick<Principal, "models">; model: string; search?: boolean };

/** What a request is routed by. */
type RoutedRequest = Pick<ChatRequest, "principal" | "model" | "signal"> &
  Partial<Pick<ChatRequest, "search" | "thinking" | "citations">>;

/** An upstream that has a model, or stands in with its default one. */
export type ModelAtUpstream = { upstream: Upstream; model: Model };

/** A model name with the upstreams that answer for it, in order of preference. */
type ResolvedModel = { parsed: ModelName; choices: [ModelAtUpstream, ...ModelAtUpstream[]] };

/** Weakest first. */
const thinkingOrder: Thinking[] = ["off", "low", "high", "max"];

/**
 * Resolves the request's model to routes in order of preference. Only a model in `routes` has more than one. A setting
 * of the request wins over a suffix of the name. Throws as `resolveModel` does.
 */
export async function resolveRoutes(
  request: RoutedRequest,
  upstreams: readonly Upstream[],
  tables: ModelNameTables,
): Promise<[Route, ...Route[]]> {
  const available = await listAvailableModels(request.principal, upstreams, request.signal);
  const { parsed, choices } = resolveModel(request, available, tables);
  const { suffixes } = parsed;
  const thinking = request.thinking ?? (suffixes.has("thinking") ? "high" : undefined);
  const search = request.search ?? searchFrom(suffixes);
  const toRoute = ({ upstream, model }: ModelAtUpstream): Route => ({
    upstream,
    model,
    modelName: parsed.spelling,
    search,
    thinking: thinking && nearestThinking(thinking, model.thinking),
    citations: request.citations ?? (suffixes.has("silent") ? ("off" as const) : undefined),
    asksForThinkingOrSearch: search === true || (thinking !== undefined && thinking !== "off"),
  });
  const [first, ...others] = choices;
  return [toRoute(first), ...others.map(toRoute)];
}

/**
 * Finds who answers for a model name. Throws `model_not_found`, also where the principal may not use the model, or the
 * failure of an upstream whose models are unknown.
 */
export function resolveModel(
  { principal, model: requested, search }: NamedRequest,
  available: readonly AvailableModels[],
  tables: ModelNameTables,
): ResolvedModel {
  const names = new ModelNames(available, tables);
  const parsed = names.parse(requested);
  if (!names.isAllowed(principal, parsed)) {
    throw new GatewayError(
      "model_not_found",
      `This key may use ${principal.models?.map(printable).join(", ").slice(0, 400)}. “${printable(requested)}” is not among them.`,
      { param: "model" },
    );
  }
  if (search && parsed.suffixes.has("nosearch")) {
    // For the key this is a request for the model that searches.
    const suffixes = new Set([...parsed.suffixes].filter((suffix) => suffix !== "nosearch"));
    if (!names.isAllowed(principal, { ...parsed, suffixes })) {
      throw new GatewayError(
        "model_not_found",
        `This key may use “${printable(requested)}” only without search. Leave out the parameter that asks for it.`,
        { param: "model" },
      );
    }
  }
  const { choices, failure } = findChoices(parsed, available, tables);
  const [first, ...others] = choices;
  if (!first) throw failure ?? modelNotFound(requested);
  return { parsed, choices: [first, ...others] };
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

function searchFrom(suffixes: ReadonlySet<ModelSuffix>): boolean | undefined {
  if (suffixes.has("nosearch")) return false;
  return suffixes.has("search") ? true : undefined;
}

/**
 * The upstreams that answer for a name, in order of preference; if there are none, the failure of one that might have
 * the model.
 */
export function findChoices(
  parsed: ModelName,
  available: readonly AvailableModels[],
  { routes }: ModelNameTables,
): { choices: ModelAtUpstream[]; failure: GatewayError | undefined } {
  const { base, upstream: chosen } = parsed;
  const route = findRoute(routes, parsed);
  if (chosen !== undefined) {
    const entries = available.filter(({ upstream }) => upstream.name === chosen);
    const isRouted = route?.upstreams.includes(chosen) ?? false;
    return {
      choices: entries.flatMap((entry) => findModel(entry, base, isRouted)),
      failure: failureOf(entries),
    };
  }
  if (!route) {
    const failure = failureOf(available);
    // The upstream that fails may be the one that lists this name.
    if (parsed.isPlatformName && failure) return { choices: [], failure };
    // Another upstream may be another account or cost money: fail over only to those that `routes` names.
    return { choices: available.flatMap((entry) => findModel(entry, base, false)).slice(0, 1), failure };
  }
  const ordered = route.upstreams.flatMap((name) =>
    available.filter(({ upstream }) => upstream.name === name),
  );
  // A pattern also covers models that only some of its upstreams have; the others must not stand in for them.
  const having = route.isExact ? [] : ordered.flatMap((entry) => findModel(entry, base, false));
  const choices = having.length > 0 ? having : ordered.flatMap((entry) => findModel(entry, base, true));
  return { choices, failure: failureOf(ordered) };
}

function failureOf(entries: readonly AvailableModels[]): GatewayError | undefined {
  return entries.find(({ failure }) => failure)?.failure;
}

/** A name that exists only in `routes` means the default model of the routed upstream. */
function findModel(
  { upstream, models }: AvailableModels,
  base: string,
  isRouted: boolean,
): ModelAtUpstream[] {
  const meansDefault = isRouted || defaultModelNames.some((name) => name === base);
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
    `There is no model “${printable(name)}”. GET /v1/models lists what there is; “kimi” always works. In the ` +
      "configuration, modelAliases lets a name stand for a model and routes for upstreams, both also as a pattern " +
      `(${/claude/i.test(name) ? "claude-*" : "gpt-*"}); upstream/model chooses an upstream.`,
    { param: "model" },
  );
}

function printable(name: string): string {
  return name.replace(/[^\w.:/@-]/g, "?").slice(0, 80);
}
