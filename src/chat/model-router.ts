import { GatewayError, toGatewayError } from "../core/errors.js";
import type { ChatRequest, CitationMode, Model, Principal, Thinking, Upstream } from "../core/types.js";

/** The names that mean "Kimi's default chat model"; the original's users have typed the first one in. */
export const aliases = ["moonshot-v1", "kimi"] as const;

/** What a UI that can only pick a model may hang on its name. */
export const suffixes = ["thinking", "search", "nosearch", "silent", "vision"] as const;
type Suffix = (typeof suffixes)[number];

/** Who answers a request, and with which settings. */
export type Route = {
  upstream: Upstream;
  model: Model;
  /** Undefined: nothing asks for it and nothing forbids it. */
  search: boolean | undefined;
  /** Undefined: the upstream's default. */
  thinking: Thinking | undefined;
  /** Undefined: nothing in the request or its model's name says. */
  citations: CitationMode | undefined;
};

const order: Thinking[] = ["off", "low", "high", "max"];

/** Which upstreams may serve a model's name, in order of preference; a name may be one that only we know. */
export type Routes = Readonly<Record<string, readonly string[]>>;

/** The models of an upstream, or why it cannot say which it has. */
export type Offer = { upstream: Upstream; models: Model[]; failure?: GatewayError };

/**
 * Resolves the model's name to the upstreams that may answer, their models and the switches in the name: the one to
 * ask first, then those to turn to if it cannot, which only `routes` can name. What the request says itself wins over
 * a suffix. Throws `model_not_found`, or why an upstream cannot say whether it has the model.
 */
export async function route(
  request: ChatRequest,
  upstreams: readonly Upstream[],
  routes: Routes,
): Promise<[Route, ...Route[]]> {
  const { principal } = request;
  const offers = await offersTo(principal, upstreams, request.signal);
  const { base, switches } = splitName(request.model, offers, routes);
  if (!mayUse(principal, request.model, offers, routes)) {
    throw new GatewayError(
      "model_not_found",
      `This key may use ${principal.models?.map(printable).join(", ").slice(0, 400)}. “${printable(request.model)}” is not among them.`,
      { param: "model" },
    );
  }
  const named = Object.hasOwn(routes, base) ? routes[base] : undefined;
  const asked = inOrder(offers, named);
  const thinking = request.thinking ?? (switches.has("thinking") ? "high" : undefined);
  const found = asked
    .flatMap((offer) => findModel(offer, base, named !== undefined))
    .map(({ upstream, model }) => ({
      upstream,
      model,
      search: request.search ?? searchIn(switches),
      thinking: thinking && nearest(thinking, model.thinking),
      citations: request.citations ?? (switches.has("silent") ? ("off" as const) : undefined),
    }));
  const [first, ...others] = found;
  if (!first) throw asked.find(({ failure }) => failure)?.failure ?? notFound(request.model);
  // Another upstream may be another account or cost money: nobody is asked whom the person has not named.
  return named ? [first, ...others] : [first];
}

/** What the upstreams offer that may answer this caller; one that cannot say must not keep the others from it. */
export async function offersTo(
  { upstreams: names }: Pick<Principal, "upstreams">,
  upstreams: readonly Upstream[],
  signal: AbortSignal,
): Promise<Offer[]> {
  const mine = upstreams.filter(({ name }) => names?.includes(name) ?? true);
  return Promise.all(
    mine.map(async (upstream): Promise<Offer> => {
      try {
        return { upstream, models: await upstream.models(signal) };
      } catch (error) {
        return { upstream, models: [], failure: toGatewayError(error) };
      }
    }),
  );
}

/** Whether the caller's key is for this model: it is one of the key's, or one of those with more suffixes. */
export function mayUse(
  { models = ["*"] }: Pick<Principal, "models">,
  name: string,
  offers: readonly Offer[],
  routes: Routes,
): boolean {
  if (models.includes("*") || models.includes(name)) return true;
  const wanted = splitName(name, offers, routes);
  return models.some((model) => {
    const { base, switches } = splitName(model, offers, routes);
    return base === wanted.base && [...switches].every((suffix) => wanted.switches.has(suffix));
  });
}

function searchIn(switches: ReadonlySet<Suffix>): boolean | undefined {
  if (switches.has("nosearch")) return false;
  return switches.has("search") ? true : undefined;
}

/** Takes suffixes off the name until what is left is a model; a catalogue may have names that end like a suffix. */
function splitName(
  name: string,
  offers: readonly Offer[],
  routes: Routes,
): { base: string; switches: Set<Suffix> } {
  const ids = offers.flatMap((offer) => offer.models.map((model) => model.id));
  const known = new Set<string>([...aliases, ...Object.keys(routes), ...ids]);
  const switches = new Set<Suffix>();
  let base = name;
  while (!known.has(base) && !offers.some(({ upstream }) => upstream.findModel?.(base))) {
    const suffix = suffixes.find((candidate) => base.endsWith(`-${candidate}`));
    if (!suffix) break;
    switches.add(suffix);
    base = base.slice(0, -suffix.length - 1);
  }
  return { base, switches };
}

function inOrder(offers: readonly Offer[], names: readonly string[] | undefined): readonly Offer[] {
  if (!names) return offers;
  return names.flatMap((name) => offers.filter((offer) => offer.upstream.name === name));
}

/** A name that only `routes` knows means the default model of the upstream it is routed to. */
function findModel(
  { upstream, models }: Offer,
  base: string,
  routed: boolean,
): { upstream: Upstream; model: Model }[] {
  const meansDefault = routed || aliases.some((alias) => alias === base);
  const model =
    models.find(({ id }) => id === base) ??
    upstream.findModel?.(base) ??
    (meansDefault ? models.find((each) => each.isDefault) : undefined);
  return model ? [{ upstream, model }] : [];
}

/** The strongest effort the model has that is not stronger than wanted, else its weakest. */
function nearest(wanted: Thinking, offered: readonly Thinking[]): Thinking {
  const allowed = offered.filter((effort) => order.indexOf(effort) <= order.indexOf(wanted));
  return allowed.at(-1) ?? offered[0] ?? "off";
}

function notFound(name: string): GatewayError {
  return new GatewayError(
    "model_not_found",
    `There is no model “${printable(name)}”. GET /v1/models lists what there is; “kimi” always works.`,
    { param: "model" },
  );
}

function printable(name: string): string {
  return name.replace(/[^\w.:/@-]/g, "?").slice(0, 80);
}
