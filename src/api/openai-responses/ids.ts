import { randomUUID } from "node:crypto";

const responsePrefix = "resp_";

/** What the id of an item begins with, by its type. */
const itemPrefixes = {
  message: "msg",
  reasoning: "rs",
  function_call: "fc",
  custom_tool_call: "ctc",
  web_search_call: "ws",
  compaction: "cmp",
} as const;

type ItemType = keyof typeof itemPrefixes;

export function createResponseId(): string {
  return `${responsePrefix}${randomUUID().replaceAll("-", "")}`;
}

/** The id of the n-th output item of an answer. It contains the answer's, so that a reference to it can be looked up. */
export function outputItemId(type: ItemType, responseId: string, index: number): string {
  return `${itemPrefixes[type]}_${digitsOf(responseId)}${hex(index)}`;
}

/** The id of the n-th input item of the request of an answer, for an item without one. */
export function inputItemId(type: string, responseId: string, index: number): string {
  const prefix = isItemType(type) ? itemPrefixes[type] : "item";
  return `${prefix}_${digitsOf(responseId)}i${hex(index)}`;
}

/** The id of the answer to which an item belongs; undefined if no item here can have this id. */
export function responseIdOfItem(id: string): string | undefined {
  const digits = /^[a-z]+_([0-9a-f]{32})i?[0-9a-f]{4,}$/.exec(id)?.[1];
  return digits === undefined ? undefined : `${responsePrefix}${digits}`;
}

function isItemType(type: string): type is ItemType {
  return Object.hasOwn(itemPrefixes, type);
}

function digitsOf(responseId: string): string {
  return responseId.slice(responsePrefix.length);
}

function hex(index: number): string {
  return index.toString(16).padStart(4, "0");
}
