import type { Message, Part } from "../core/types.js";
import { hash, hashLong, isLongText } from "../lib/hash.js";
import { withoutCitations } from "./citations.js";

/**
 * The hash of a history, message by message. Answers are normalised before hashing, since clients change them when they
 * send them back. The hash includes the scope, so equal histories of two principals have different hashes.
 */
export class HistoryHash {
  #hash: string;

  /** `scope` is a hash itself. */
  constructor(scope: string) {
    this.#hash = scope;
  }

  /**
   * Adds a message and returns the new hash; system messages are ignored. Returns a promise only for long content:
   * clients send the whole history each turn, so a microtask for each short message would be expensive.
   */
  append(message: Message): string | Promise<string> {
    if (message.role === "system") return this.#hash;
    const normalized = normalizeMessage(message);
    if (!isResolved(normalized) || isLongText(normalized)) return this.#appendLong(normalized);
    this.#hash = hash(this.#hash, normalized);
    return this.#hash;
  }

  async #appendLong(normalized: string | Promise<string>): Promise<string> {
    this.#hash = await hashLong(this.#hash, await normalized);
    return this.#hash;
  }

  /** The hashes of the history with this answer: without and with its reasoning, as clients may send it back. */
  async answerKeys(text: string, reasoning: string): Promise<string[]> {
    const plain = await normalizeMessage({ role: "assistant", content: [{ type: "text", text }] });
    const keys = [await hashLong(this.#hash, plain)];
    if (reasoning.trim() === "") return keys;
    const withReasoning = joinFields("assistant", normalizeAnswer(text), normalizeReasoning(reasoning));
    return [...keys, await hashLong(this.#hash, withReasoning)];
  }
}

/** Hash of the system messages; an empty string if there are none. */
export async function hashSystemText(messages: readonly Message[]): Promise<string> {
  const system = messages.filter(({ role }) => role === "system");
  const texts = await Promise.all(system.map(({ content }) => Promise.all(content.map(normalizePart))));
  return texts.length === 0 ? "" : hashLong(JSON.stringify(texts));
}

/**
 * The text that is hashed for a message, without what clients change in it. A promise only if the message contains
 * bytes.
 */
function normalizeMessage(message: Message): string | Promise<string> {
  switch (message.role) {
    case "assistant": {
      const { text, reasoning } = parseReturnedAnswer(textOf(message.content));
      const calls = (message.toolCalls ?? []).map((call) => [call.name, call.arguments]);
      return joinFields(message.role, text, reasoning, calls);
    }
    case "system":
    case "user":
    case "tool": {
      const { role, content } = message;
      const join = (parts: readonly string[]) => joinFields(role, parts.join("").trim());
      const normalizedParts = content.map(normalizePart);
      return normalizedParts.every(isResolved)
        ? join(normalizedParts)
        : Promise.all(normalizedParts).then(join);
    }
  }
}

/**
 * A message as one unambiguous text: a header line (JSON has no line breaks), then the content. The content is not
 * quoted, since quoting would take as long as hashing.
 */
function joinFields(
  role: Message["role"],
  text: string,
  reasoning = "",
  calls: readonly (readonly string[])[] = [],
): string {
  const extras = reasoning === "" && calls.length === 0 ? "" : JSON.stringify([reasoning, calls]);
  return `${role}${extras}\n${text}`;
}

/**
 * Parses an answer as clients send it back: trimmed, with or without citations, the reasoning inlined as a
 * `<think>` block or, by NextChat, as quoted lines in front (clients.md §2.1).
 */
function parseReturnedAnswer(returned: string): { text: string; reasoning: string } {
  const text = normalizeAnswer(returned);
  const inlined = /^<think>([\s\S]*?)<\/think>\s*/.exec(text) ?? /^((?:>[^\n]*\n)+)\s*/.exec(text);
  const rest = inlined ? text.slice(inlined[0].length) : text;
  if (!inlined || rest === "") return { text, reasoning: "" };
  return { text: rest, reasoning: normalizeReasoning(inlined[1] ?? "") };
}

function normalizeAnswer(answer: string): string {
  return withoutCitations(answer.replaceAll("\r\n", "\n").trim());
}

/** Removes whitespace and quote marks, since quoting changes them. */
function normalizeReasoning(reasoning: string): string {
  return reasoning.replace(/[\s>]+/g, "");
}

function textOf(content: readonly Part[]): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

function normalizePart(part: Part): string | Promise<string> {
  if (part.type === "text") return part.text.replaceAll("\r\n", "\n");
  const { source } = part;
  switch (source.kind) {
    case "link":
      return `\0${part.type} ${source.url}\0`;
    case "bytes":
      return hashLong(source.base64).then((contentHash) => `\0${part.type} ${contentHash}\0`);
    case "file-id":
      return `\0${part.type} ${source.id}\0`;
  }
}

/** False for a promise. */
export function isResolved(value: string | Promise<string>): value is string {
  return typeof value === "string";
}
