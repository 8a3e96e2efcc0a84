import { expect, test } from "vitest";
import { Drift } from "../../../src/observability/protocol-drift.js";
import { readCatalogue } from "../../../src/upstreams/kimi-web/catalogue.js";

/** The catalogue of kimi-web.md §3, cut to what matters. */
const answer = {
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

test("the live catalogue: what a model is called, can do and needs on the wire", () => {
  const drift = new Drift();
  const models = readCatalogue(answer, drift);
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

test("the default is never an agent, even where Kimi does not say which it is", () => {
  const { availableModels } = answer;
  const models = readCatalogue({ availableModels: [...availableModels].reverse() }, new Drift());
  expect(models.filter(({ isDefault }) => isDefault).map(({ id }) => id)).toEqual(["k9-chat"]);
  expect(readCatalogue({ error: "nothing" }, new Drift())).toEqual([]);
});
