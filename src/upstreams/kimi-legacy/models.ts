import type { Model } from "../../core/types.js";

/** A model with what a request for it needs on the wire (kimi-web.md §1.4). */
export type LegacyModel = Model & { kimiPlusId: string; math: boolean; research: boolean };

/** The window in tokens: Kimi speaks of 200,000 characters (kimi-web.md §1.6). */
const contextTokens = 131_072;

/** The agent behind `k1`, Kimi's reasoning model of then (kimi-web.md §1.4). */
const k1 = "crm40ee9e5jvhsn7ptcg";

const words = ["k1", "math", "research", "search"];

/** The models that are listed; any other that `modelNamed` knows can be asked for as well. */
export const models: readonly LegacyModel[] = ["kimi", "kimi-k1", "kimi-math", "kimi-research"].flatMap(
  (name) => modelNamed(name) ?? [],
);

/**
 * `kimi` with any of `-k1`, `-math` and `-research`, or the id of a Kimi+ agent from its address. `-search` may stand
 * among them; at the end it is a switch that every upstream's models have.
 */
export function modelNamed(name: string): LegacyModel | undefined {
  if (/^[0-9a-v]{20}$/.test(name)) return model(name, name, new Set());
  const [kimi, ...asked] = name.split("-");
  const switches = new Set(asked);
  const known = asked.every((word) => words.includes(word)) && switches.size === asked.length;
  if (kimi !== "kimi" || !known || asked.at(-1) === "search") return undefined;
  return model(name, switches.has("k1") ? k1 : "kimi", switches);
}

function model(id: string, kimiPlusId: string, switches: ReadonlySet<string>): LegacyModel {
  return {
    id,
    name:
      id === kimiPlusId && id !== "kimi" ? `Kimi+ ${id}` : id.replace(/^kimi/, "Kimi").replaceAll("-", " "),
    owner: "moonshot",
    contextLength: contextTokens,
    inputs: ["text", "image", "file"],
    thinking: ["off"],
    agent: false,
    // Another agent is another chat.
    scope: kimiPlusId,
    isDefault: id === "kimi",
    kimiPlusId,
    math: switches.has("math"),
    research: switches.has("research"),
  };
}
