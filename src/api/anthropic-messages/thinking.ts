import type { ChatRequest, RequestedFeature, Thinking } from "../../core/types.js";
import { asObject } from "../../lib/json.js";
import { invalidParameter } from "../invalid-parameter.js";
import { thinkingForBudget } from "../thinking-effort.js";
import type { MessagesBody } from "./schema.js";

const efforts: Record<string, Thinking> = {
  low: "low",
  medium: "high",
  high: "high",
  xhigh: "max",
  max: "max",
};

type ParsedThinking = Pick<ChatRequest, "thinking"> & { requestedFeatures: RequestedFeature[] };

/**
 * The requested thinking. A budget or an effort asks for it; `adaptive` and `between_tools` alone leave it to the model,
 * since Claude Code always sends one of them and a model that thinks takes functions for an injection more often.
 */
export function parseThinking(body: Pick<MessagesBody, "thinking" | "output_config">): ParsedThinking {
  const type = body.thinking?.type;
  if (type !== undefined && type !== null && typeof type !== "string")
    throw invalidParameter("thinking.type", "expected enabled, adaptive or disabled");
  const effort = parseEffort(body.output_config);
  const budget = parseBudget(body.thinking);
  if (type === "disabled") return asked("thinking", "off", body.thinking);
  if (budget !== undefined) return asked("thinking.budget_tokens", budget, body.thinking?.budget_tokens);
  if (effort !== undefined)
    return asked("output_config.effort", effort, asObject(body.output_config)?.effort);
  return type === "enabled" ? asked("thinking", "high", body.thinking) : { requestedFeatures: [] };
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

/** An effort that is not known here is a newer one, and left to the model. */
function parseEffort(config: MessagesBody["output_config"]): Thinking | undefined {
  const effort = config?.effort;
  if (effort === undefined || effort === null) return undefined;
  if (typeof effort !== "string")
    throw invalidParameter("output_config.effort", "expected low, medium, high, xhigh or max");
  return Object.hasOwn(efforts, effort) ? efforts[effort] : undefined;
}

function parseBudget(thinking: MessagesBody["thinking"]): Thinking | undefined {
  const budget = thinking?.budget_tokens;
  if (budget === undefined || budget === null) return undefined;
  if (typeof budget !== "number")
    throw invalidParameter("thinking.budget_tokens", "expected a number of tokens");
  return thinkingForBudget(budget);
}
