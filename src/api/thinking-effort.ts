import type { Thinking } from "../core/types.js";
import { invalidParameter } from "./invalid-parameter.js";

const thinkingEfforts: Record<string, Thinking> = {
  none: "off",
  off: "off",
  disabled: "off",
  minimal: "low",
  low: "low",
  medium: "high",
  high: "high",
  xhigh: "max",
  max: "max",
  // `thinking.type` of Moonshot and Anthropic.
  enabled: "high",
  adaptive: "high",
  between_tools: "high",
  // SillyTavern's and LibreChat's “leave it to the model”.
  auto: "high",
};

/** The effort of this name in any client's words. Throws `invalid_request` with `param` for another one. */
export function readThinkingEffort(param: string, value: unknown): Thinking {
  const name = typeof value === "string" ? value.toLowerCase() : "";
  const effort = Object.hasOwn(thinkingEfforts, name) ? thinkingEfforts[name] : undefined;
  if (effort === undefined)
    throw invalidParameter(param, `expected one of ${Object.keys(thinkingEfforts).join(", ")}`);
  return effort;
}

/**
 * The effort for a budget of thinking tokens, by the budgets that Google's OpenAI-compatible API gives to efforts:
 * 1,024 for low, 24,576 for high. A negative budget leaves it to the model.
 */
export function thinkingForBudget(budget: number): Thinking {
  if (budget < 0) return "high";
  if (budget === 0) return "off";
  return budget <= 1_024 ? "low" : budget <= 24_576 ? "high" : "max";
}
