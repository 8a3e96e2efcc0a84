import type { Message, Part } from "./types.js";

/** The text of the parts, without pictures and files. */
export function textOf(parts: readonly Part[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

export function isSystem({ role }: Message): boolean {
  return role === "system";
}
