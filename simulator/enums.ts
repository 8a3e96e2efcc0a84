import { asString } from "./json.js";

/** Enum values by number; in JSON requests, names and numbers are interchangeable (kimi-web.md §2.4, §2.5). */
const userRole = 2;
const scenarios = new Map([[13, "SCENARIO_K3"]]);
const scenarioNames = new Set([
  "SCENARIO_CHAT",
  "SCENARIO_OK_COMPUTER",
  "SCENARIO_OK_COMPUTER_SWARM",
  "SCENARIO_K3",
  "SCENARIO_K2D6",
  "SCENARIO_K2D5",
  "SCENARIO_K2",
  "SCENARIO_K1",
  "SCENARIO_SEARCH",
  "SCENARIO_RESEARCH",
]);
/** In the order of kimi-web.md §2.4, which is that of the site's protobuf. */
const toolTypes = [
  "SEARCH",
  "IMAGE_GENERATION",
  "SEMANTIC_MEMORY",
  "AUDIO_GENERATION",
  "DEVICE_LBS",
  "DEVICE_TOOL",
  "PARALLEL_AGENT",
  "ASK_USER",
  "CRON_JOB",
  "GOAL",
  "PARALLEL_AGENT_V2",
  "BANANA",
  "SLIDES_OUTLINE",
].map((name) => `TOOL_TYPE_${name}`);

export function isUserRole(value: unknown): boolean {
  return value === "user" || value === userRole;
}

/**
 * The name of a scenario of any period (kimi-web.md §3); a number without a known name as `SCENARIO_<number>`. Undefined
 * for an unknown name and for any other value.
 */
export function scenarioName(value: unknown): string | undefined {
  if (typeof value === "number" && Number.isInteger(value) && value > 0)
    return scenarios.get(value) ?? `SCENARIO_${value}`;
  const name = asString(value);
  return name !== undefined && scenarioNames.has(name) ? name : undefined;
}

/** The name of a tool type; an unknown one unchanged. */
export function toolTypeName(value: unknown): unknown {
  return typeof value === "number" ? (toolTypes[value - 1] ?? value) : value;
}

export function isToolType(name: unknown): boolean {
  return toolTypes.some((known) => known === name);
}
