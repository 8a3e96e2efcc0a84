import type { Model, Thinking } from "../../core/types.js";
import { asObject, asText, type JsonObject, objectsIn } from "../../lib/json.js";
import { toTerminalLine } from "../../lib/terminal-text.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import type { KimiClient } from "./client.js";

/** A model with the wire fields that its requests need (kimi-web.md §3). */
export type KimiModel = Model & {
  scenario: string;
  kimiPlusId: string | undefined;
  agentMode: string | undefined;
  contextLengthOption: string | undefined;
};

/** Context window of Kimi's chat models (kimi-web.md §3). */
const contextWindowTokens = 262_144;

/** Kimi's models of 2026-09-15, used until the live list is loaded. */
export const builtInModels: readonly KimiModel[] = [
  createModel("k2d6-chat", "Kimi K2.6", "SCENARIO_CHAT", ["off", "low"]),
  {
    ...createModel("k3-agent", "Kimi K3", "SCENARIO_OK_COMPUTER", ["low", "high", "max"]),
    agent: true,
    kimiPlusId: "ok-computer",
    agentMode: "TYPE_NORMAL",
    contextLengthOption: "CONTEXT_LENGTH_L",
  },
];

/** Efforts on the wire, weakest first (kimi-web.md §2.4). MEDIUM is neither requested nor listed. */
const thinkingByEffort: Record<string, Thinking> = {
  REASONING_EFFORT_NONE: "off",
  REASONING_EFFORT_LOW: "low",
  REASONING_EFFORT_HIGH: "high",
  REASONING_EFFORT_MAX: "max",
};

/** Fetches the models of the token's account. Throws GatewayError. */
export async function fetchModels(
  client: KimiClient,
  token: string,
  drift: ProtocolDrift,
  signal: AbortSignal,
) {
  const response = await client.call(
    "kimi.gateway.config.v1.ConfigService/GetAvailableModels",
    {},
    token,
    signal,
  );
  return parseModels(response, drift);
}

/**
 * Parses the response of GetAvailableModels (kimi-web.md §3). The name of the list's field is not proven, so any array
 * of models is accepted.
 */
export function parseModels(response: JsonObject, drift: ProtocolDrift): KimiModel[] {
  const defaultModel = asText(asObject(response.defaultScenario)?.model) ?? asText(response.defaultChatModel);
  const items = Object.values(response)
    .flatMap(objectsIn)
    .filter((item) => asText(item.id) && asText(item.scenario) && item.available !== false);
  const models = items.map((item) => parseModel(item, drift));
  const firstChatModel = models.find((model) => !model.agent)?.id;
  const defaultId = models.some((model) => model.id === defaultModel) ? defaultModel : firstChatModel;
  return models.map((model) => ({ ...model, isDefault: model.id === defaultId }));
}

function parseModel(item: JsonObject, drift: ProtocolDrift): KimiModel {
  const scenario = asText(item.scenario) ?? "";
  if (!/^SCENARIO_(CHAT|OK_COMPUTER|OK_COMPUTER_SWARM|K2D5|K3)$/.test(scenario))
    drift.record("scenario", scenario);
  const efforts = objectsIn(item.reasoningEffortOptions).map(
    (option) => thinkingByEffort[asText(option.effort) ?? ""],
  );
  const thinking = efforts.filter((effort) => effort !== undefined);
  const agentMode = asText(item.agentMode);
  return {
    ...createModel(asText(item.id) ?? "", toTerminalLine(asText(item.displayName) ?? ""), scenario, thinking),
    agent: agentMode !== undefined || /OK_COMPUTER/.test(scenario),
    kimiPlusId: asText(item.kimiPlusId),
    agentMode,
    contextLengthOption: asText(item.defaultContextLength) ?? firstAvailableContextLength(item),
  };
}

function firstAvailableContextLength(item: JsonObject): string | undefined {
  const available = objectsIn(item.contextLengthOptions).find((option) => option.available !== false);
  return asText(available?.contextLength);
}

function createModel(id: string, name: string, scenario: string, thinking: Thinking[]): KimiModel {
  return {
    id,
    name: name || id,
    owner: "moonshot",
    contextLength: contextWindowTokens,
    inputs: ["text", "image", "file"],
    thinking: thinking.length > 0 ? thinking : ["off"],
    agent: false,
    isDefault: id === "k2d6-chat",
    conversationScope: scenario,
    scenario,
    kimiPlusId: undefined,
    agentMode: undefined,
    contextLengthOption: undefined,
  };
}
