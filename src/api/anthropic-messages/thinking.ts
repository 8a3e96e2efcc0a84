import type { ChatRequest, RequestedFeature, Thinking } from "../../core/types.js";
import { invalidParameter } from "../invalid-parameter.js";
import { thinkingForBudget } from "../thinking-effort.js";
import type { MessagesBody } from "./schema.js";

const efforts = new Map<string, Thinking>([
  ["low", "low"],
  ["medium", "high"],
  ["high", "high"],
  ["xhigh", "high"],
  ["max", "max"],
]);
/** The efforts above the default of the API, which Claude Code sends with every request. */
const highEfforts = ["xhigh", "max"];

type ParsedThinking = Pick<ChatRequest, "thinking"> & { requestedFeatures: RequestedFeature[] };

/**
 * The requested thinking. `enabled`, a budget, or an effort above the default ask for it; `adaptive`, `between_tools` and the
 * other efforts leave it to the model, since Claude Code always sends some of them and a model that thinks takes functions
 * for an injection more often.
 */
export function parseThinking(body: Pick<MessagesBody, "thinking" | "output_config">): ParsedThinking {
  const type = body.thinking?.type;
  if (type !== undefined && type !== null && typeof type !== "string")
    throw invalidParameter("thinking.type", "expected enabled, adaptive or disabled");
  const effort = readEffort(body.output_config);
  const budget = parseBudget(body.thinking);
  if (type === "disabled") return asked("thinking", "off", body.thinking);
  if (budget !== undefined) return asked("thinking.budget_tokens", budget, body.thinking?.budget_tokens);
  if (type === "enabled") return asked("thinking", efforts.get(effort) ?? "high", body.thinking);
  if (highEfforts.includes(effort))
    return asked("output_config.effort", efforts.get(effort) ?? "high", effort);
  return { requestedFeatures: [] };
}

/** Whether the client wants thinking blocks without their text. */
export function omitsThinking({ thinking }: Pick<MessagesBody, "thinking">): boolean {
  return thinking?.display === "omitted";
}

function asked(parameter: string, thinking: Thinking, value: unknown): ParsedThinking {
  return {
    thinking,
    requestedFeatures: [{ parameter, name: "reasoning_effort", value, feature: "thinking" }],
  };
}

/** The name of the effort, which may be a newer one; empty if there is none. */
function readEffort(config: MessagesBody["output_config"]): string {
  const effort = config?.effort ?? "";
  if (typeof effort === "string") return effort;
  throw invalidParameter("output_config.effort", "expected low, medium, high, xhigh or max");
}

function parseBudget(thinking: MessagesBody["thinking"]): Thinking | undefined {
  const budget = thinking?.budget_tokens;
  if (budget === undefined || budget === null) return undefined;
  if (typeof budget !== "number")
    throw invalidParameter("thinking.budget_tokens", "expected a number of tokens");
  return thinkingForBudget(budget);
}
