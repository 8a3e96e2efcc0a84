import type { JsonObject } from "./json.js";

const standardEfforts = [
  { effort: "REASONING_EFFORT_LOW", displayName: "Standard" },
  { effort: "REASONING_EFFORT_HIGH", displayName: "High" },
  { effort: "REASONING_EFFORT_MAX", displayName: "Max", description: "Uses more credits" },
];

const contextLengths = {
  contextLengthOptions: [
    { contextLength: "CONTEXT_LENGTH_L", displayName: "Standard", available: true },
    {
      contextLength: "CONTEXT_LENGTH_XL",
      displayName: "Long",
      description: "Up to 1M",
      available: false,
      minMembershipLevel: "LEVEL_ADVANCED",
    },
  ],
  defaultContextLength: "CONTEXT_LENGTH_L",
};

const agentDefaults = {
  inputPlaceholder: "Give Kimi a task (simulated)",
  kimiPlusId: "ok-computer",
  available: true,
  reasoningEffortOptions: standardEfforts,
  defaultReasoningEffort: "REASONING_EFFORT_HIGH",
  ...contextLengths,
};

/** The catalogue of 2026-09-15 with its real fields (kimi-web.md §3); every display name ends in “(simulated)”. */
const models = [
  {
    scenario: "SCENARIO_CHAT",
    displayName: "Instant (K2.6) (simulated)",
    description: "Quick answers",
    inputPlaceholder: "Ask Kimi (simulated)",
    label: [],
    key: "k2d6",
    id: "k2d6-chat",
    available: true,
    switchableTo: [],
    reasoningEffortOptions: [
      { effort: "REASONING_EFFORT_NONE", displayName: "Standard" },
      { effort: "REASONING_EFFORT_LOW", displayName: "High" },
    ],
    defaultReasoningEffort: "REASONING_EFFORT_LOW",
  },
  {
    scenario: "SCENARIO_OK_COMPUTER",
    displayName: "K2.8 (simulated)",
    description: "Preview of the next agent",
    label: ["Preview"],
    key: "k28-preview",
    id: "k28-agent-preview",
    agentMode: "TYPE_NORMAL",
    switchableTo: [],
    ...agentDefaults,
  },
  {
    scenario: "SCENARIO_OK_COMPUTER",
    displayName: "K3 (simulated)",
    description: "The strongest agent",
    label: [],
    key: "k3",
    id: "k3-agent",
    agentMode: "TYPE_NORMAL",
    switchableTo: ["k3-agent-swarm"],
    ...agentDefaults,
  },
  {
    scenario: "SCENARIO_OK_COMPUTER_SWARM",
    displayName: "K3 Swarm (simulated)",
    description: "Many agents at once",
    label: [],
    key: "k3-agent-ultra",
    id: "k3-agent-swarm",
    agentMode: "TYPE_ULTRA",
    switchableTo: [],
    minMembershipLevel: "LEVEL_BASIC",
    ...agentDefaults,
  },
];

const olderAgent = {
  scenario: "SCENARIO_OK_COMPUTER",
  inputPlaceholder: "Give Kimi a task (simulated)",
  label: [],
  kimiPlusId: "ok-computer",
};

/** The catalogue until 2026-08, without ids and efforts (kimi-web.md §3). */
const olderModels = [
  {
    scenario: "SCENARIO_K2D5",
    displayName: "K2.6 Instant (simulated)",
    description: "Quick answers",
    inputPlaceholder: "Ask Kimi (simulated)",
    label: [],
    key: "k2d6",
    thinking: false,
  },
  {
    scenario: "SCENARIO_K2D5",
    displayName: "K2.6 Thinking (simulated)",
    description: "Thinks before it answers",
    inputPlaceholder: "Ask Kimi (simulated)",
    label: [],
    key: "k2d6-thinking",
    thinking: true,
  },
  {
    ...olderAgent,
    displayName: "K2.6 Agent (simulated)",
    description: "Does tasks",
    key: "k2d6-agent",
    agentMode: "TYPE_NORMAL",
  },
  {
    ...olderAgent,
    displayName: "K2.6 Agent Swarm (simulated)",
    description: "Many agents at once",
    key: "k2d6-agent-ultra",
    agentMode: "TYPE_ULTRA",
  },
];

/**
 * The response to GetAvailableModels (kimi-web.md §3). `clientVersion` is the header `x-msh-version`: without at least
 * 2.0.0 the list is an older one (kimi-web.md §2.2).
 */
export function availableModels(clientVersion: string | undefined): JsonObject {
  if (Number.parseInt(clientVersion ?? "", 10) >= 2) {
    return {
      availableModels: models,
      defaultScenario: { scenario: "SCENARIO_CHAT", model: "k2d6-chat" },
    };
  }
  return { availableModels: olderModels, defaultScenario: { scenario: "SCENARIO_K2D5" } };
}

/** The scenario of a model id; undefined if the catalogue does not have it. */
export function findScenario(model: string): string | undefined {
  return models.find(({ id }) => id === model)?.scenario;
}

/** True for the id or the key of a model of either catalogue (kimi-web.md §6 row 6). */
export function isModel(value: unknown): boolean {
  return (
    models.some(({ id, key }) => id === value || key === value) ||
    olderModels.some(({ key }) => key === value)
  );
}
