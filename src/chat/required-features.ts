import { GatewayError } from "../core/errors.js";
import type { ChatRequest, Feature, RequestedFeature, ToolMode, Upstream } from "../core/types.js";
import { emulatedFeatures } from "./emulated-features.js";
import type { Route } from "./model-router.js";

/** What an upstream without the feature cannot do, and what the client can do without it. */
const refusals: Partial<Record<Feature, { cannot: string; remedy: string }>> = {
  tools: { cannot: "be made to call a function", remedy: 'Set it to "auto" or leave it out' },
  "output-format": {
    cannot: "be held to a format",
    remedy: "Leave it out and describe the format in the prompt",
  },
};

/**
 * The routes whose upstream honours everything that the request requires, in the same order. Throws `invalid_request`
 * with the parameter's name if there is none: an answer in prose would be taken for what was asked for.
 */
export function routesWithRequiredFeatures(
  request: ChatRequest,
  routes: readonly [Route, ...Route[]],
  toolMode: ToolModeOf,
): [Route, ...Route[]] {
  const [first, ...others] = routes;
  const missing = missingFeature(request, first, toolMode);
  const capable = others.filter((route) => !missingFeature(request, route, toolMode));
  if (!missing) return [first, ...capable];
  const [next, ...rest] = capable;
  if (next) return [next, ...rest];
  const { parameter, feature } = missing;
  const { cannot, remedy } = refusals[feature] ?? { cannot: "honour it", remedy: "Leave it out" };
  throw new GatewayError(
    "invalid_request",
    `${parameter}: the upstream “${first.upstream.name}” cannot ${cannot}. ${remedy}, or use a model of an upstream of kind openai that honours it.`,
    { param: parameter },
  );
}

/** Whether functions are emulated in front of an upstream. */
type ToolModeOf = (upstream: Upstream) => ToolMode;

/** The first required feature that the route lacks, or ignores for this model. */
function missingFeature(
  request: ChatRequest,
  route: Route,
  toolMode: ToolModeOf,
): RequestedFeature | undefined {
  const ignored = ignoredFeatures(request, route, toolMode(route.upstream));
  return ignored.find(({ isRequired }) => isRequired);
}

/** The parameters of the request that the route does not honour. */
export function ignoredFeatures(
  request: ChatRequest,
  { upstream, model }: Route,
  toolMode: ToolMode,
): RequestedFeature[] {
  const emulated = emulatedFeatures(upstream, toolMode);
  return request.requestedFeatures.filter((requested) => {
    const { feature } = requested;
    if (emulated.has(feature) && isEmulatedFor(request, requested)) return false;
    return !upstream.features.has(feature) || upstream.ignores?.(requested, request, model);
  });
}

/** Whether what is emulated serves this parameter. */
function isEmulatedFor(request: ChatRequest, { feature, name }: RequestedFeature): boolean {
  switch (feature) {
    case "tools":
      // A choice among tools that are no functions is not.
      return request.tools !== undefined;
    case "output-format":
      // Formats that only a service knows, and wishes such as `verbosity`, are not.
      return request.responseFormat !== undefined && name === "response_format";
    default:
      return true;
  }
}
