import type { Model, Thinking } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn, textsIn } from "../../lib/json.js";
import { toTerminalLine } from "../../lib/terminal-text.js";

/** The request rules of a service: those of the official Moonshot platform, or none. */
export type Preset = "moonshot" | "generic";

export type ModelOptions = {
  preset: Preset;
  /** The model that `kimi` stands for. Default: the first `kimi-k…`, else the first. */
  defaultModel: string | undefined;
  /** Only these models, whatever the service lists. */
  models: readonly string[] | undefined;
};

/** Parses the response of `GET /models` (moonshot-platform.md A.2). vLLM and SGLang send `max_model_len`. */
export function parseModels(response: JsonObject, options: ModelOptions): Model[] {
  const listed = objectsIn(response.data).filter((item) => asText(item.id));
  const items = options.models?.map((id) => listed.find((item) => item.id === id) ?? { id }) ?? listed;
  const models = items.map((item) => parseModel(item, options.preset));
  const configuredDefault = models.find(({ id }) => id === options.defaultModel);
  const defaultModel = configuredDefault ?? models.find(({ id }) => id.startsWith("kimi-k")) ?? models[0];
  return models.map((model) => ({ ...model, isDefault: model === defaultModel }));
}

function parseModel(item: JsonObject, preset: Preset): Model {
  const id = asText(item.id) ?? "";
  return {
    id,
    name: toTerminalLine(asText(item.display_name) ?? id),
    owner: asText(item.owned_by) ?? (preset === "moonshot" ? "moonshot" : "unknown"),
    contextLength: positiveInteger(item.context_length) ?? positiveInteger(item.max_model_len),
    inputs: item.supports_image_in === false ? ["text"] : ["text", "image"],
    thinking: preset === "moonshot" ? moonshotThinking(id, item) : genericThinking(item),
    agent: false,
    conversationScope: id,
    isDefault: false,
  };
}

/** Nothing is known about a service without rules, so every effort may be requested. */
function genericThinking(item: JsonObject): Thinking[] {
  return item.supports_reasoning === false ? ["off"] : ["off", ...efforts];
}

const efforts: readonly Thinking[] = ["low", "high", "max"];

/**
 * The thinking efforts of a model, as far as the list has them (moonshot-platform.md A.2, A.4.2). A model without a
 * choice of efforts has only the weakest one, to which every requested effort falls back.
 */
function moonshotThinking(id: string, item: JsonObject): Thinking[] {
  const listed = textsIn(asObject(item.think_efforts)?.valid_efforts);
  const known = efforts.filter((effort) => listed.includes(effort));
  const levels = known.length > 0 ? known : /^kimi-k3/.test(id) ? efforts : efforts.slice(0, 1);
  switch (asText(item.supports_thinking_type) ?? guessThinkingType(id, item)) {
    case "no":
      return ["off"];
    case "both":
      return ["off", ...levels];
    default:
      return [...levels];
  }
}

function guessThinkingType(id: string, item: JsonObject): string {
  if (/^kimi-k2\.[56]\b/.test(id)) return "both";
  if (/^kimi-k(3|2\.7)|thinking/.test(id) || item.supports_reasoning === true) return "only";
  return "no";
}

function positiveInteger(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;
}
