import type { UnknownModel } from "../admin/api-keys.js";
import { listModels } from "../chat/model-list.js";
import type { AvailableModels, ModelNameTables } from "../chat/model-names.js";
import { listAvailableModels, resolveModel } from "../chat/model-router.js";
import { GatewayError } from "../core/errors.js";
import { limits } from "../core/limits.js";
import type { Upstream } from "../core/types.js";
import { nearestName } from "../lib/nearest-name.js";

/** Finds the first of these model names that none of the upstreams answers for. `*` stands for any model. */
export async function findUnknownModel(
  names: readonly string[],
  upstreams: readonly Upstream[],
  tables: ModelNameTables,
): Promise<UnknownModel | undefined> {
  const asked = names.filter((each) => each !== "*");
  if (asked.length === 0) return undefined;
  const available = await listAvailableModels({}, upstreams, AbortSignal.timeout(limits.doctorCheck));
  for (const name of asked) {
    try {
      resolveModel({ principal: {}, model: name }, available, tables);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const isCertain = error.code === "model_not_found" && available.every(isComplete);
      const offered = listModels({}, available, tables).map(({ id }) => id);
      return { name, nearest: nearestName(name, offered), isCertain };
    }
  }
  return undefined;
}

/** False for an upstream that did not list its models. */
function isComplete({ upstream, failure }: AvailableModels): boolean {
  return failure === undefined && !upstream.usesBuiltInModels?.();
}
