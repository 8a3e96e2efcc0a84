import { expect, test } from "vitest";
import { ProtocolDrift } from "../../../src/observability/protocol-drift.js";
import { parseModels } from "../../../src/upstreams/kimi-web/models.js";

/** The model list of kimi-web.md §3, reduced to relevant fields. */
const response = {
  availableModels: [
    {
      id: "k2d6-chat",
      displayName: "Instant (K2.6)",
      scenario: "SCENARIO_CHAT",
      reasoningEffortOptions: [{ effort: "REASONING_EFFORT_NONE" }, { effort: "REASONING_EFFORT_LOW" }],
    },
    {
      id: "k3-agent",
      displayName: "K3",
      scenario: "SCENARIO_OK_COMPUTER",
      kimiPlusId: "ok-computer",
      agentMode: "TYPE_NORMAL",
      reasoningEffortOptions: [{ effort: "REASONING_EFFORT_HIGH" }, { effort: "REASONING_EFFORT_SUPER" }],
      contextLengthOptions: [
        { contextLength: "CONTEXT_LENGTH_XL", available: false },
        { contextLength: "CONTEXT_LENGTH_L" },
      ],
    },
    { id: "k9-chat", displayName: "K9", scenario: "SCENARIO_MOON" },
    { id: "gone", scenario: "SCENARIO_CHAT", available: false },
    { displayName: "no id", scenario: "SCENARIO_CHAT" },
    "not a model",
  ],
  defaultScenario: { scenario: "SCENARIO_CHAT", model: "k2d6-chat" },
};

test("parses the name, abilities and wire fields of each model", () => {
  const drift = new ProtocolDrift();
  const models = parseModels(response, drift);
  expect(models.map(({ id, isDefault, agent, thinking }) => ({ id, isDefault, agent, thinking }))).toEqual([
    { id: "k2d6-chat", isDefault: true, agent: false, thinking: ["off", "low"] },
    { id: "k3-agent", isDefault: false, agent: true, thinking: ["high"] },
    { id: "k9-chat", isDefault: false, agent: false, thinking: ["off"] },
  ]);
  expect(models[1]).toMatchObject({
    scenario: "SCENARIO_OK_COMPUTER",
    kimiPlusId: "ok-computer",
    agentMode: "TYPE_NORMAL",
    contextLengthOption: "CONTEXT_LENGTH_L",
  });
  expect(drift.entries()).toEqual([{ kind: "scenario", name: "SCENARIO_MOON", count: 1 }]);
});

test("never makes an agent the default, even if Kimi names none", () => {
  const { availableModels } = response;
  const models = parseModels({ availableModels: [...availableModels].reverse() }, new ProtocolDrift());
  expect(models.filter(({ isDefault }) => isDefault).map(({ id }) => id)).toEqual(["k9-chat"]);
  expect(parseModels({ error: "nothing" }, new ProtocolDrift())).toEqual([]);
});
