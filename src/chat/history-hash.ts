import type { Message, Part } from "../core/types.js";
import { hash, hashLong, isLong } from "../lib/hash.js";
import { withoutCitations } from "./citations.js";

/**
 * Names for histories: equal histories have equal names, whatever clients did to our answers on the way back, and
 * different ones have different names. A name covers the scope, so equal words of two callers are two histories.
 */
export class HistoryDigest {
  #digest: string;

  /** `scope` is such a name already. */
  constructor(scope: string) {
    this.#digest = scope;
  }

  /**
   * The history with one more message; system text does not count. To be waited for only where there is much to hash: a
   * client sends all its messages each turn.
   */
  add(message: Message): string | Promise<string> {
    if (message.role === "system") return this.#digest;
    const said = essence(message);
    if (!isThere(said) || isLong(said)) return this.#addLong(said);
    this.#digest = hash(this.#digest, said);
    return this.#digest;
  }

  async #addLong(said: string | Promise<string>): Promise<string> {
    this.#digest = await hashLong(this.#digest, await said);
    return this.#digest;
  }

  /** All the names under which the history may come back once this answer ends it. */
  async withAnswer(text: string, reasoning: string): Promise<string[]> {
    const plain = await essence({ role: "assistant", content: [{ type: "text", text }] });
    const names = [await hashLong(this.#digest, plain)];
    if (reasoning.trim() === "") return names;
    const inlined = worded("assistant", tidy(text), squeeze(reasoning));
    return [...names, await hashLong(this.#digest, inlined)];
  }
}

/** A name for the system text that a chat has been told. */
export async function systemDigest(messages: readonly Message[]): Promise<string> {
  const system = messages.filter(({ role }) => role === "system");
  const texts = await Promise.all(system.map(({ content }) => Promise.all(content.map(partEssence))));
  return texts.length === 0 ? "" : hashLong(JSON.stringify(texts));
}

/** What of a message counts, without what clients change about it. To be waited for where it holds bytes. */
function essence(message: Message): string | Promise<string> {
  switch (message.role) {
    case "assistant": {
      const { text, reasoning } = ourAnswer(textOf(message.content));
      const calls = (message.toolCalls ?? []).map((call) => [call.name, call.arguments]);
      return worded(message.role, text, reasoning, calls);
    }
    case "system":
    case "user":
    case "tool": {
      const { role, content } = message;
      const whole = (parts: readonly string[]) => worded(role, parts.join("").trim());
      const said = content.map(partEssence);
      return said.every(isThere) ? whole(said) : Promise.all(said).then(whole);
    }
  }
}

/**
 * A message as one text. What was said comes last, as it is: to quote it would take as long as to hash it, and the line in
 * front of it has no line's end within, so no two messages read the same.
 */
function worded(
  role: Message["role"],
  text: string,
  reasoning = "",
  calls: readonly (readonly string[])[] = [],
): string {
  const more = reasoning === "" && calls.length === 0 ? "" : JSON.stringify([reasoning, calls]);
  return `${role}${more}\n${text}`;
}

/**
 * An answer of ours as clients send it back: trimmed, with our citations or without, with the reasoning inlined as a
 * `<think>` block or, by NextChat, as quoted lines in front (clients.md §2.1).
 */
function ourAnswer(returned: string): { text: string; reasoning: string } {
  const text = tidy(returned);
  const inlined = /^<think>([\s\S]*?)<\/think>\s*/.exec(text) ?? /^((?:>[^\n]*\n)+)\s*/.exec(text);
  const rest = inlined ? text.slice(inlined[0].length) : text;
  if (!inlined || rest === "") return { text, reasoning: "" };
  return { text: rest, reasoning: squeeze(inlined[1] ?? "") };
}

function tidy(answer: string): string {
  return withoutCitations(answer.replaceAll("\r\n", "\n").trim());
}

/** Reasoning without what quoting it does to its lines. */
function squeeze(reasoning: string): string {
  return reasoning.replace(/[\s>]+/g, "");
}

function textOf(content: readonly Part[]): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function partEssence(part: Part): string | Promise<string> {
  if (part.type === "text") return part.text.replaceAll("\r\n", "\n");
  const { source } = part;
  switch (source.kind) {
    case "link":
      return `\0${part.type} ${source.url}\0`;
    case "bytes":
      return hashLong(source.base64).then((name) => `\0${part.type} ${name}\0`);
    case "file-id":
      return `\0${part.type} ${source.id}\0`;
  }
}

/** Whether there is nothing to wait for. */
export function isThere(said: string | Promise<string>): said is string {
  return typeof said === "string";
}
