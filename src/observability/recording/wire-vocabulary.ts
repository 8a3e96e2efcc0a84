import type { JsonObject } from "../../lib/json.js";

/** Where a string stands: the field it is the value of, the field that its object is the value of, and that object. */
export type Place = { field: string; within: string; holder: JsonObject };

const enumValue = /^[A-Z][A-Z0-9_]{0,79}$/;
const word = /^[A-Za-z][\w-]{0,39}$/;
const dotted = /^[A-Za-z][\w.-]{0,79}$/;
const model = /^[a-z][a-z0-9.-]{0,39}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
/** A tool call, and a source that it found: `web_search:1`, `web_search:1#2`. */
const reference = /^[a-z_]{1,40}[:_]\d{1,4}(#\d{1,4})?$/;

/** The fields whose values are the protocol's own words, and the form of those. A string anywhere else is a person's. */
const forms: Record<string, RegExp> = {
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

/** True for what the protocol says rather than a person: masks, kinds, reasons, models, times. */
export function isWireWord(value: string, { field, within, holder }: Place): boolean {
  if (field === "name" && /^(tool|stage|stages)$/.test(within)) return word.test(value);
  // An entry of the catalogue (kimi-web.md §3).
  if (/^(id|key)$/.test(field) && "displayName" in holder && "scenario" in holder) return model.test(value);
  return Object.hasOwn(forms, camel(field)) && (forms[camel(field)]?.test(value) ?? false);
}

/** snake_case and camelCase are interchangeable (kimi-web.md §2.4). */
function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
