import type { Model, Thinking } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";
import type { Drift } from "../../observability/protocol-drift.js";
import type { KimiClient } from "./client.js";

/** A model with what a request for it needs on the wire (kimi-web.md §3). */
export type KimiModel = Model & {
  scenario: string;
  kimiPlusId: string | undefined;
  agentMode: string | undefined;
  contextLengthOption: string | undefined;
};

/** The window of Kimi's chat models, in tokens (kimi-web.md §3). */
const contextTokens = 262_144;

/** The catalogue of 2026-09-15, used while the live one cannot be had. */
export const builtIn: readonly KimiModel[] = [
  kimiModel("k2d6-chat", "Kimi K2.6", "SCENARIO_CHAT", ["off", "low"]),
  {
    ...kimiModel("k3-agent", "Kimi K3", "SCENARIO_OK_COMPUTER", ["low", "high", "max"]),
    agent: true,
    kimiPlusId: "ok-computer",
    agentMode: "TYPE_NORMAL",
    contextLengthOption: "CONTEXT_LENGTH_L",
  },
];

/** Whether these models are the built-in ones, not those that Kimi lists. */
export function isBuiltIn(models: readonly Model[]): boolean {
  return models.every((model) => builtIn.some((each) => each === model));
}

/** Efforts on the wire, weakest first (kimi-web.md §2.4). MEDIUM is ours neither to ask for nor to show. */
const efforts: Record<string, Thinking> = {
  REASONING_EFFORT_NONE: "off",
  REASONING_EFFORT_LOW: "low",
  REASONING_EFFORT_HIGH: "high",
  REASONING_EFFORT_MAX: "max",
};

/** Asks Kimi which models this account has. */
export async function loadCatalogue(client: KimiClient, token: string, drift: Drift, signal: AbortSignal) {
  const answer = await client.call(
    "kimi.gateway.config.v1.ConfigService/GetAvailableModels",
    {},
    token,
    signal,
  );
  return readCatalogue(answer, drift);
}

/**
 * Reads the answer of GetAvailableModels (kimi-web.md §3). The list's own field name is not proven, so any array
 * of models will do.
 */
export function readCatalogue(answer: JsonObject, drift: Drift): KimiModel[] {
  const defaultModel = asText(asObject(answer.defaultScenario)?.model) ?? asText(answer.defaultChatModel);
  const items = Object.values(answer)
    .flatMap(objectsIn)
    .filter((item) => asText(item.id) && asText(item.scenario) && item.available !== false);
  const models = items.map((item) => readModel(item, drift));
  const fallback = models.find((model) => !model.agent)?.id;
  const known = models.some((model) => model.id === defaultModel) ? defaultModel : fallback;
  return models.map((model) => ({ ...model, isDefault: model.id === known }));
}

function readModel(item: JsonObject, drift: Drift): KimiModel {
  const scenario = asText(item.scenario) ?? "";
  if (!/^SCENARIO_(CHAT|OK_COMPUTER|OK_COMPUTER_SWARM|K2D5|K3)$/.test(scenario))
    drift.note("scenario", scenario);
  const offered = objectsIn(item.reasoningEffortOptions).map(
    (option) => efforts[asText(option.effort) ?? ""],
  );
  const thinking = offered.filter((effort) => effort !== undefined);
  const agentMode = asText(item.agentMode);
  return {
    ...kimiModel(asText(item.id) ?? "", asText(item.displayName) ?? "", scenario, thinking),
    agent: agentMode !== undefined || /OK_COMPUTER/.test(scenario),
    kimiPlusId: asText(item.kimiPlusId),
    agentMode,
    contextLengthOption: asText(item.defaultContextLength) ?? firstContextLength(item),
  };
}

function firstContextLength(item: JsonObject): string | undefined {
  const open = objectsIn(item.contextLengthOptions).find((option) => option.available !== false);
  return asText(open?.contextLength);
}

function kimiModel(id: string, name: string, scenario: string, thinking: Thinking[]): KimiModel {
  return {
    id,
    name: name || id,
    owner: "moonshot",
    contextLength: contextTokens,
    inputs: ["text", "image", "file"],
    thinking: thinking.length > 0 ? thinking : ["off"],
    agent: false,
    isDefault: id === "k2d6-chat",
    scope: scenario,
    scenario,
    kimiPlusId: undefined,
    agentMode: undefined,
    contextLengthOption: undefined,
  };
}
