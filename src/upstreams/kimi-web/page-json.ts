import { isObject, type JsonObject } from "../../lib/json.js";

/** Levels of an event; deeper ones are left as they are. */
const maxDepth = 20;

/**
 * Converts JSON in the form of Kimi's own page, `content: {case, value}` with `$typeName`, to proto JSON, in which the field
 * has the name that is the case (kimi-web.md §6 #18). Proto JSON is returned unchanged.
 */
export function toProtoJson(payload: string, event: JsonObject): JsonObject {
  const isPageJson = payload.includes('"case":') || payload.includes('"$typeName":');
  return isPageJson ? convertObject(event, 0) : event;
}

function convertObject(object: JsonObject, depth: number): JsonObject {
  const fields = Object.entries(object).filter(([name]) => name !== "$typeName");
  return Object.fromEntries(
    fields.map(([name, value]) => {
      const choice = chosenField(value);
      return choice ? [choice.name, convert(choice.value, depth)] : [name, convert(value, depth)];
    }),
  );
}

function convert(value: unknown, depth: number): unknown {
  if (depth >= maxDepth) return value;
  if (Array.isArray(value)) return value.map((item) => convert(item, depth + 1));
  return isObject(value) ? convertObject(value, depth + 1) : value;
}

/** The field that this stands for, if it is nothing but a case and its value. */
function chosenField(choice: unknown): { name: string; value: unknown } | undefined {
  if (!isObject(choice) || typeof choice.case !== "string" || choice.case === "") return undefined;
  const isChoice = Object.keys(choice).every((name) => /^(case|value|\$typeName)$/.test(name));
  return isChoice ? { name: choice.case, value: choice.value } : undefined;
}
