import type { Model } from "../../core/types.js";

/** A model with the wire fields that its requests need (kimi-web.md §1.4). */
export type LegacyModel = Model & {
  kimiPlusId: string;
  math: boolean;
  research: boolean;
  reasoning: boolean;
};

/** Context window; Kimi's own figure is 200,000 characters (kimi-web.md §1.6). */
const contextWindowTokens = 131_072;

/** The agent id of `k1`, Kimi's former reasoning model (kimi-web.md §1.4). */
const k1AgentId = "crm40ee9e5jvhsn7ptcg";

const switchNames = ["k1", "math", "research", "search"];

/** The listed models. Every other model that `findModel` knows can be requested too. */
export const models: readonly LegacyModel[] = ["kimi", "kimi-k1", "kimi-math", "kimi-research"].flatMap(
  (name) => findModel(name) ?? [],
);

/**
 * Finds a model by name: `kimi` with any of `-k1`, `-math` and `-research`, or the id of a Kimi+ agent from its URL.
 * `-search` is accepted between them, but not at the end, where it is the suffix that all upstreams' models have.
 */
export function findModel(name: string): LegacyModel | undefined {
  if (/^[0-9a-v]{20}$/.test(name)) return createModel(name, name, new Set());
  const [base, ...requested] = name.split("-");
  const switches = new Set(requested);
  const areSwitchesValid =
    requested.every((word) => switchNames.includes(word)) && switches.size === requested.length;
  if (base !== "kimi" || !areSwitchesValid || requested.at(-1) === "search") return undefined;
  return createModel(name, switches.has("k1") ? k1AgentId : "kimi", switches);
}

function createModel(id: string, kimiPlusId: string, switches: ReadonlySet<string>): LegacyModel {
  return {
    id,
    name:
      id === kimiPlusId && id !== "kimi" ? `Kimi+ ${id}` : id.replace(/^kimi/, "Kimi").replaceAll("-", " "),
    owner: "moonshot",
    contextLength: contextWindowTokens,
    inputs: ["text", "image", "file"],
    thinking: ["off"],
    agent: false,
    // A chat belongs to one agent.
    conversationScope: kimiPlusId,
    isDefault: id === "kimi",
    kimiPlusId,
    reasoning: kimiPlusId === k1AgentId,
    math: switches.has("math"),
    research: switches.has("research"),
  };
}
