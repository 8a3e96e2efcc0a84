import { parseTree } from "jsonc-parser";
import { asObject, type JsonObject } from "../../lib/json.js";
import { repairJson } from "./repair-arguments.js";

/** A JSON object with its text, which keeps numbers as they were written. */
export type JsonText = { value: JsonObject; text: string; isRepaired: boolean };

/** Reads the JSON of a call; undefined if it is no object or cannot be repaired. `marker`: see `repairJson`. */
export function readJsonText(source: string, marker: string): JsonText | undefined {
  const value = parse(source);
  if (value !== undefined) {
    const object = asObject(value);
    return object && { value: object, text: source.trim(), isRepaired: false };
  }
  const repaired = repairJson(source, marker);
  const object = repaired === undefined ? undefined : asObject(parse(repaired));
  return object && repaired !== undefined ? { value: object, text: repaired, isRepaired: true } : undefined;
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
