import { limits } from "../../core/limits.js";
import type { Tool } from "../../core/types.js";
import { asObject, textsIn } from "../../lib/json.js";
import { compactSchema, type SchemaDetail } from "./compact-schema.js";
import { escapeMarkup } from "./escape-markup.js";
import { clip, oneLine } from "./one-line.js";

/**
 * A function's name and description in one line, and its parameters as JSON Schema in the next one. `told`: the name that the
 * model knows. Our tag is escaped.
 */
export function describeTool(tool: Tool, told: string, detail: SchemaDetail): string {
  const description = oneLine(tool.description ?? "");
  const text = detail === "brief" ? clip(description, limits.shortToolDescription) : description;
  // The client's own texts call the function by its own name.
  const otherName = told === tool.name ? "" : `(also called ${JSON.stringify(tool.name)}) `;
  const schema = compactSchema(tool.parameters, detail);
  return escapeMarkup(`${told} – ${otherName}${text}\n${JSON.stringify(schema)}`);
}

/** `NAME(path, limit?) – what it does` in at most `limits.toolSignature` characters. A long name is not cut. */
export function describeSignature({ parameters, description = "" }: Tool, told: string): string {
  const required = textsIn(parameters.required);
  const optional = Object.keys(asObject(parameters.properties) ?? {})
    .filter((name) => !required.includes(name))
    .map((name) => `${name}?`);
  const names = [...required, ...optional].map((name) => oneLine(name).replace(/[()]/g, ""));
  const list = clip(names.join(", "), limits.toolSignature / 2);
  const text = oneLine(description);
  const line = text === "" ? `${told}(${list})` : `${told}(${list}) – ${text}`;
  if (line.length <= limits.toolSignature) return escapeMarkup(line);
  return escapeMarkup(clip(line, Math.max(limits.toolSignature - 2, told.length + 1)));
}
