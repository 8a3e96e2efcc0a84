import type { UnknownModel } from "../admin/api-keys.js";
import {
  type AvailableModels,
  listAvailableModels,
  modelAliases,
  modelSuffixes,
  resolveRoutes,
} from "../chat/model-router.js";
import type { Config } from "../config/schema.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { Principal, Upstream } from "../core/types.js";
import { nearestName } from "../lib/nearest-name.js";
import { areBuiltInModels } from "../upstreams/kimi-web/models.js";

/** Finds the first of these model names that none of the upstreams answers for. `*` stands for any model. */
export async function findUnknownModel(
  names: readonly string[],
  upstreams: readonly Upstream[],
  { routes }: Pick<Config, "routes">,
): Promise<UnknownModel | undefined> {
  const principal: Principal = { keyName: "", scopes: ["chat"] };
  const signal = AbortSignal.timeout(limits.doctorCheck);
  for (const name of names.filter((each) => each !== "*")) {
    try {
      await resolveRoutes({ principal, model: name, signal }, upstreams, routes);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const available = await listAvailableModels(principal, upstreams, signal);
      const isCertain = error.code === "model_not_found" && available.every(isComplete);
      return { name, nearest: nearestName(name, offeredNames(available, routes)), isCertain };
    }
  }
  return undefined;
}

/** False for an upstream that did not list its models. */
function isComplete({ upstream, models, failure }: AvailableModels): boolean {
  return failure === undefined && !(upstream.kind === "kimi-web" && areBuiltInModels(models));
}

function offeredNames(available: readonly AvailableModels[], routes: Config["routes"]): string[] {
  const names = [
    ...modelAliases,
    ...Object.keys(routes),
    ...available.flatMap(({ models }) => models.map(({ id }) => id)),
  ];
  return names.flatMap((name) => [name, ...modelSuffixes.map((suffix) => `${name}-${suffix}`)]);
}
