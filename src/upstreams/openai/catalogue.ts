import type { Model, Thinking } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn, textsIn } from "../../lib/json.js";

/** Which rules a service has: the official platform's, or none. */
export type Preset = "moonshot" | "generic";

export type ModelOptions = {
  preset: Preset;
  /** The model that `kimi` means; else the first `kimi-k…`, else the first. */
  defaultModel: string | undefined;
  /** These and no others, whatever the service lists. */
  models: readonly string[] | undefined;
};

/** Reads the answer of `GET /models` (moonshot-platform.md A.2); vLLM and SGLang say `max_model_len`. */
export function readModels(answer: JsonObject, options: ModelOptions): Model[] {
  const listed = objectsIn(answer.data).filter((item) => asText(item.id));
  const items = options.models?.map((id) => listed.find((item) => item.id === id) ?? { id }) ?? listed;
  const models = items.map((item) => readModel(item, options.preset));
  const wanted = models.find(({ id }) => id === options.defaultModel);
  const preferred = wanted ?? models.find(({ id }) => id.startsWith("kimi-k")) ?? models[0];
  return models.map((model) => ({ ...model, isDefault: model === preferred }));
}

function readModel(item: JsonObject, preset: Preset): Model {
  const id = asText(item.id) ?? "";
  return {
    id,
    name: asText(item.display_name) ?? id,
    owner: asText(item.owned_by) ?? (preset === "moonshot" ? "moonshot" : "unknown"),
    contextLength: positive(item.context_length) ?? positive(item.max_model_len),
    inputs: item.supports_image_in === false ? ["text"] : ["text", "image"],
    thinking: preset === "moonshot" ? moonshotThinking(id, item) : anyThinking(item),
    agent: false,
    scope: id,
    isDefault: false,
  };
}

/** Nothing is known of a service without rules, so it may be asked for anything. */
function anyThinking(item: JsonObject): Thinking[] {
  return item.supports_reasoning === false ? ["off"] : ["off", ...efforts];
}

const efforts: readonly Thinking[] = ["low", "high", "max"];

/**
 * Whether a model can be told to think, and how hard, as far as the list says so (moonshot-platform.md A.2, A.4.2).
 * One that thinks in one way only has the weakest effort: whatever is asked for leads there.
 */
function moonshotThinking(id: string, item: JsonObject): Thinking[] {
  const named = textsIn(asObject(item.think_efforts)?.valid_efforts);
  const known = efforts.filter((effort) => named.includes(effort));
  const levels = known.length > 0 ? known : /^kimi-k3/.test(id) ? efforts : efforts.slice(0, 1);
  switch (asText(item.supports_thinking_type) ?? usualType(id, item)) {
    case "no":
      return ["off"];
    case "both":
      return ["off", ...levels];
    default:
      return [...levels];
  }
}

function usualType(id: string, item: JsonObject): string {
  if (/^kimi-k2\.[56]\b/.test(id)) return "both";
  if (/^kimi-k(3|2\.7)|thinking/.test(id) || item.supports_reasoning === true) return "only";
  return "no";
}

function positive(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;
}
