import { parseTree } from "jsonc-parser";
import { asObject, type JsonObject } from "../../lib/json.js";
import { repairJson } from "./repair-arguments.js";

/** A JSON value with its text, which keeps numbers as they were written. */
export type JsonText<Value = JsonObject> = { value: Value; text: string; isRepaired: boolean };

/** Reads the JSON of a call; undefined if it is no object or cannot be repaired. `marker`: see `repairJson`. */
export function readJsonText(source: string, marker: string): JsonText | undefined {
  const json = readJsonValue(source, { marker });
  const object = asObject(json?.value);
  return json && object && { ...json, value: object };
}

/** Reads any JSON; undefined if it cannot be repaired to an object or array. `marker` and `maxRepair`: see `repairJson`. */
export function readJsonValue(
  source: string,
  { marker = "", maxRepair }: { marker?: string; maxRepair?: number } = {},
): JsonText<unknown> | undefined {
  const value = parse(source);
  if (value !== undefined) return { value, text: source.trim(), isRepaired: false };
  const text = repairJson(source, marker, maxRepair);
  return text === undefined ? undefined : { value: parse(text), text, isRepaired: true };
}

/** The text of a property's value. */
export function propertyText({ value, text }: JsonText, key: string): string {
  // As in JSON.parse, the last of several equal keys counts.
  const property = parseTree(text)?.children?.findLast((each) => each.children?.[0]?.value === key);
  const node = property?.children?.[1];
  return node ? text.slice(node.offset, node.offset + node.length) : JSON.stringify(value[key]);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
