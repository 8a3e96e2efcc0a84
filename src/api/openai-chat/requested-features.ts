import type { RequestedFeature } from "../../core/types.js";
import { asObject, asText, isObject, type JsonObject } from "../../lib/json.js";
import { printableName } from "../unknown-parameters.js";
import { isFunctionTool } from "./answer-form.js";
import { findParameter } from "./client-parameters.js";
import { convertValue, type SetParameter } from "./standard-body.js";
import { isSearchTool } from "./thinking-and-search.js";

/** The parameters that need a feature of the upstream, except those that only repeat the default. */
export function requestedFeatures(parameters: readonly SetParameter[]): RequestedFeature[] {
  const isServedBySearch = offersOnlySearchTools(parameters);
  return parameters.flatMap((parameter) => {
    const needed = neededFeature(parameter);
    const isRequired = needed?.isRequired && !(needed.feature === "tools" && isServedBySearch);
    const whole: RequestedFeature[] = needed
      ? [
          {
            parameter: printableName(parameter.name),
            name: needed.name,
            value: needed.value,
            feature: needed.feature,
            ...(isRequired ? { isRequired } : {}),
          },
        ]
      : [];
    return [...whole, ...requestedParts(parameter)];
  });
}

/** What a parameter needs; undefined if nothing, or if it repeats the default. */
function neededFeature({ name, path, value }: SetParameter): Omit<RequestedFeature, "parameter"> | undefined {
  const parameter = findParameter(name);
  if (!parameter) return { name, value, feature: "unknown" };
  switch (parameter.effect) {
    case "honoured": {
      const { feature, neutral = [] } = parameter;
      // Not every model can do without thinking, so that `false` is a request, too.
      const isNeutralHere = !(feature === "thinking" && value === false) && isNeutral(name, value, neutral);
      return feature === undefined || isNeutralHere ? undefined : { name, value, feature };
    }
    case "passed on": {
      const { feature, isRequired, neutral } = parameter;
      if (isNeutral(name, value, neutral)) return undefined;
      return { name, value, feature, ...(isRequired ? { isRequired } : {}) };
    }
    case "same as":
      return neededFeature({ name: parameter.target, path, value: convertValue(parameter, value, path) });
    case "no effect":
      return { name, value, feature: "nothing" };
  }
}

/** Whether a value repeats the default: it is empty, one of `neutral`, or false unless true is the default. */
function isNeutral(name: string, value: unknown, neutral: readonly unknown[]): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (value === false) return !neutral.includes(true);
  if (name === "tools" && Array.isArray(value)) return !value.some(isFunctionTool);
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0 || isNeutralObject(name, value, neutral);
  return neutral.includes(value);
}

function isNeutralObject(name: string, value: JsonObject, neutral: readonly unknown[]): boolean {
  switch (name) {
    // `{type: "auto"}` leaves the choice to the model, as “auto” does.
    case "tool_choice":
    case "function_call":
      return neutral.includes(value.type);
    case "response_format":
      return isTextFormat(value);
    // Parameters of OpenAI's and Anthropic's other APIs, with the format inside.
    case "text":
    case "output_config":
      return isTextFormat(value.format);
    default:
      return false;
  }
}

/** A format of text, or none at all. */
function isTextFormat(value: unknown): boolean {
  return (asText(asObject(value)?.type) ?? "text") === "text";
}

/** Whether the request offers tools, all of them searches, which Moonbridge runs as a search of the upstream. */
function offersOnlySearchTools(parameters: readonly SetParameter[]): boolean {
  const offered = parameters
    .filter(({ name }) => isToolList(name))
    .flatMap(({ value }) => (Array.isArray(value) ? value : []));
  return offered.length > 0 && offered.every(isSearchTool);
}

function isToolList(name: string): boolean {
  return name === "tools" || name === "functions";
}

/** What a parameter asks for beside what the parameter as a whole does. */
function requestedParts(parameter: SetParameter): RequestedFeature[] {
  const { name, value } = parameter;
  const withoutEffect = partsWithoutEffect(parameter).map((path) => ({
    parameter: printableName(path),
    name,
    value,
    feature: "nothing" as const,
  }));
  return [...withoutEffect, ...serviceTools(parameter)];
}

/** The tools that are neither functions nor searches, such as `custom`, `mcp` and those of Moonshot's platform. */
function serviceTools({ name, value }: SetParameter): RequestedFeature[] {
  if (name !== "tools" || !Array.isArray(value)) return [];
  return value.flatMap((tool: unknown, index) =>
    isFunctionTool(tool) || isSearchTool(tool)
      ? []
      : [{ parameter: `tools[${index}]`, name, value: tool, feature: "service-tools" as const }],
  );
}

/** What Moonbridge does not honour inside a parameter that it honours. */
function partsWithoutEffect({ name, value }: SetParameter): string[] {
  const object = asObject(value);
  switch (name) {
    case "features":
      return enabledKeys(object, ["web_search"]).map((key) => `${name}.${key}`);
    case "search_parameters":
      return enabledKeys(object, ["mode", "return_citations"]).map((key) => `${name}.${key}`);
    case "reasoning":
      return enabledKeys(object, ["effort", "enabled", "max_tokens", "summary"]).map(
        (key) => `${name}.${key}`,
      );
    case "plugins":
      return Array.isArray(value) && value.some((plugin) => asText(asObject(plugin)?.id) !== "web")
        ? [name]
        : [];
    default:
      return [];
  }
}

function enabledKeys(object: JsonObject | undefined, honoured: readonly string[]): string[] {
  return Object.entries(object ?? {})
    .filter(([key, value]) => Boolean(value) && !honoured.includes(key))
    .map(([key]) => key);
}
