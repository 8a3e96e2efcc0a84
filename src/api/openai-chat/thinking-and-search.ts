import type { Thinking } from "../../core/types.js";
import { asObject, asText } from "../../lib/json.js";
import { readThinkingEffort, thinkingForBudget } from "../thinking-effort.js";
import type { ChatCompletionBody } from "./schema.js";

/** Whether the request asks for a web search, in any form that clients use (clients.md §7 row 49); undefined if unset. */
export function parseSearch(body: ChatCompletionBody): boolean | undefined {
  if (body.web_search_options || body.tools?.some(isSearchTool) || body.plugins?.some(isSearchPlugin))
    return true;
  const mode = body.search_parameters?.mode;
  const flags = [
    body.use_search,
    body.enable_search,
    asObject(body.web_search) ? true : body.web_search,
    body.features?.web_search,
    // Live search of xAI: “auto” leaves it to the model, as Kimi does by itself.
    mode === "on" ? true : mode === "off" ? false : undefined,
  ];
  return flags.find((flag) => typeof flag === "boolean");
}

export function isSearchTool(tool: unknown): boolean {
  const type = asText(asObject(tool)?.type) ?? "";
  return (
    type.startsWith("web_search") ||
    (type === "builtin_function" && /\$web_search/.test(JSON.stringify(tool)))
  );
}

function isSearchPlugin(plugin: unknown): boolean {
  return asObject(plugin)?.id === "web";
}

/**
 * The requested thinking effort, in the form of OpenAI, OpenRouter, Moonshot, Anthropic, Qwen, Ollama or vLLM;
 * undefined if unset. Throws `invalid_request` for an unknown effort.
 */
export function parseThinking(body: ChatCompletionBody): Thinking | undefined {
  const thinking = asObject(body.thinking);
  const efforts: [string, unknown][] = [
    ["reasoning_effort", body.reasoning_effort],
    ["reasoning.effort", body.reasoning?.effort],
    ["thinking.effort", thinking?.effort],
    ["thinking.type", thinking?.type],
  ];
  const kwargs = body.chat_template_kwargs;
  const flags = [
    body.thinking,
    body.enable_thinking,
    body.reasoning?.enabled,
    kwargs?.thinking,
    kwargs?.enable_thinking,
  ];
  const requested = efforts.find(([, value]) => value !== undefined && value !== null);
  const effort = requested && readThinkingEffort(...requested);
  const flag = flags.find((value) => typeof value === "boolean");
  const isOff = effort === "off" || (effort === undefined && flag === false);
  const budget = parseBudget(body);
  if (isOff) return "off";
  if (budget !== undefined && (effort === undefined || requested?.[0] === "thinking.type")) return budget;
  return effort ?? (flag === true ? "high" : undefined);
}

function parseBudget(body: ChatCompletionBody): Thinking | undefined {
  const budgets = [
    body.thinking_budget,
    body.thinking_token_budget,
    asObject(body.thinking)?.budget_tokens,
    body.reasoning?.max_tokens,
    body.chat_template_kwargs?.thinking_budget,
  ];
  const budget = budgets.find((value) => typeof value === "number");
  return budget === undefined ? undefined : thinkingForBudget(budget);
}
