import { ChatError } from "./errors.js";
import type { ChatRequest, CitationMode, Model, Thinking, Upstream } from "./types.js";

/** The names that mean "Kimi's default chat model"; the original's users have typed the first one in. */
export const aliases = ["moonshot-v1", "kimi"] as const;

/** What a UI that can only pick a model may hang on its name. */
export const suffixes = ["thinking", "search", "nosearch", "silent", "vision"] as const;
type Suffix = (typeof suffixes)[number];

/** Who answers a request, and with which settings. */
export type Route = {
  upstream: Upstream;
  model: Model;
  search: boolean;
  thinking: Thinking;
  /** Undefined: nothing in the request or its model's name says. */
  citations: CitationMode | undefined;
};

const order: Thinking[] = ["off", "low", "high", "max"];

/** Which upstreams may serve a model's name, in order of preference; a name may be one that only we know. */
export type Routes = Readonly<Record<string, readonly string[]>>;

type Offer = { upstream: Upstream; models: Model[] };

/**
 * Resolves the model's name to an upstream, its model and the switches in the name. What the request says itself
 * wins over a suffix. Throws `model_not_found`.
 */
export async function route(
  request: ChatRequest,
  upstreams: readonly Upstream[],
  routes: Routes,
): Promise<Route> {
  const models = await Promise.all(upstreams.map((upstream) => upstream.models(request.signal)));
  const offers = upstreams.map((upstream, at) => ({ upstream, models: models[at] ?? [] }));
  const { base, switches } = splitName(request.model, offers, routes);
  const allowed = Object.hasOwn(routes, base) ? routes[base] : undefined;
  const found = inOrder(offers, allowed).flatMap((offer) => findModel(offer, base, allowed !== undefined))[0];
  if (!found) {
    throw new ChatError(
      "model_not_found",
      `There is no model “${printable(request.model)}”. GET /v1/models lists what there is; “kimi” always works.`,
      { param: "model" },
    );
  }
  const thinking = request.thinking ?? (switches.has("thinking") ? "high" : "off");
  return {
    ...found,
    search: request.search ?? !switches.has("nosearch"),
    thinking: nearest(thinking, found.model.thinking),
    citations: request.citations ?? (switches.has("silent") ? "off" : undefined),
  };
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
  while (!known.has(base) && !offers.some(({ upstream }) => upstream.modelNamed?.(base))) {
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
    upstream.modelNamed?.(base) ??
    (meansDefault ? models.find((each) => each.isDefault) : undefined);
  return model ? [{ upstream, model }] : [];
}

/** The strongest effort the model has that is not stronger than wanted, else its weakest. */
function nearest(wanted: Thinking, offered: readonly Thinking[]): Thinking {
  const allowed = offered.filter((effort) => order.indexOf(effort) <= order.indexOf(wanted));
  return allowed.at(-1) ?? offered[0] ?? "off";
}

function printable(name: string): string {
  return name.replace(/[^\w.:/@-]/g, "?").slice(0, 80);
}
