import type { JsonObject } from "../../lib/json.js";

/** The position of a value in a JSON document: its field, its containing object, and the field of that object. */
export type ValuePosition = { field: string; parentField: string; parent: JsonObject };

const enumValue = /^[A-Z][A-Z0-9_]{0,79}$/;
const word = /^[A-Za-z][\w-]{0,39}$/;
const dotted = /^[A-Za-z][\w.-]{0,79}$/;
const model = /^[a-z][a-z0-9.-]{0,39}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
/** The id of a tool call or of a source in its result: `web_search:1`, `web_search:1#2`. */
const reference = /^[a-z_]{1,40}[:_]\d{1,4}(#\d{1,4})?$/;

/** Fields whose values are protocol constants, with their pattern. A string in any other field may be personal. */
const protocolFields: Record<string, RegExp> = {
  op: word,
  mask: /^[A-Za-z][\w.,]{0,199}$/,
  role: word,
  event: dotted,
  view: word,
  action: word,
  type: dotted,
  status: word,
  parseStatus: word,
  uploadStatus: word,
  code: word,
  reason: dotted,
  errorType: dotted,
  errorCode: dotted,
  failReason: dotted,
  severity: enumValue,
  scenario: enumValue,
  effort: enumValue,
  reasoningEffort: enumValue,
  defaultReasoningEffort: enumValue,
  contextLength: enumValue,
  defaultContextLength: enumValue,
  agentMode: enumValue,
  loadType: enumValue,
  minMembershipLevel: enumValue,
  upgradeTo: enumValue,
  region: enumValue,
  feature: enumValue,
  unit: enumValue,
  domain: enumValue,
  model,
  switchableTo: model,
  kimiplusId: /^[a-z][a-z-]{0,39}$/,
  kimiPlusId: /^[a-z][a-z-]{0,39}$/,
  enterMethod: word,
  locale: /^[a-z]{2}(-[A-Z]{2})?$/,
  toolCallId: reference,
  refIndex: reference,
  contentType: /^[a-z]{1,20}\/[\w.+-]{1,80}$/,
  ext: /^\.?[a-z0-9]{1,5}$/,
  createTime: time,
  updateTime: time,
  expireTime: time,
  resetTime: time,
  createdAt: time,
  updatedAt: time,
};

/** True for protocol constants such as masks, kinds, reasons, models and times. */
export function isProtocolValue(value: string, { field, parentField, parent }: ValuePosition): boolean {
  if (field === "name" && /^(tool|stage|stages)$/.test(parentField)) return word.test(value);
  // An entry of the catalogue (kimi-web.md §3).
  if (/^(id|key)$/.test(field) && "displayName" in parent && "scenario" in parent) return model.test(value);
  return (
    Object.hasOwn(protocolFields, toCamelCase(field)) &&
    (protocolFields[toCamelCase(field)]?.test(value) ?? false)
  );
}

/** snake_case and camelCase are interchangeable (kimi-web.md §2.4). */
function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
