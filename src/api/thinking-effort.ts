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
