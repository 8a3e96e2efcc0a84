import type { UnknownModel } from "../admin/api-keys.js";
import { listModels } from "../chat/model-list.js";
import type { AvailableModels, ModelNameTables } from "../chat/model-names.js";
import { listAvailableModels, resolveRoutes } from "../chat/model-router.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { Principal, Upstream } from "../core/types.js";
import { nearestName } from "../lib/nearest-name.js";
import { areBuiltInModels } from "../upstreams/kimi-web/models.js";

/** Finds the first of these model names that none of the upstreams answers for. `*` stands for any model. */
export async function findUnknownModel(
  names: readonly string[],
  upstreams: readonly Upstream[],
  tables: ModelNameTables,
): Promise<UnknownModel | undefined> {
  const principal: Principal = { keyName: "", scopes: ["chat"] };
  const signal = AbortSignal.timeout(limits.doctorCheck);
  for (const name of names.filter((each) => each !== "*")) {
    try {
      await resolveRoutes({ principal, model: name, signal }, upstreams, tables);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const available = await listAvailableModels(principal, upstreams, signal);
      const isCertain = error.code === "model_not_found" && available.every(isComplete);
      const offered = listModels(principal, available, tables).map(({ id }) => id);
      return { name, nearest: nearestName(name, offered), isCertain };
    }
  }
  return undefined;
}

/** False for an upstream that did not list its models. */
function isComplete({ upstream, models, failure }: AvailableModels): boolean {
  return failure === undefined && !(upstream.kind === "kimi-web" && areBuiltInModels(models));
}
