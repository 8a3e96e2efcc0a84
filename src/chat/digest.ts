import { hash, hashLong } from "../hash.js";
import { withoutCitations } from "./citations.js";
import type { Message, Part } from "./types.js";

/**
 * Names for histories: equal histories have equal names, whatever clients did to our answers on the way back, and
 * different ones have different names. A name covers the scope, so equal words of two callers are two histories.
 */
export class HistoryDigest {
  #digest: string;

  constructor(scope: string) {
    this.#digest = hash(scope);
  }

  /** The history with one more message; system text does not count. */
  async add(message: Message): Promise<string> {
    if (message.role !== "system") this.#digest = await hashLong(this.#digest, await essence(message));
    return this.#digest;
  }

  /** All the names under which the history may come back once this answer ends it. */
  async withAnswer(text: string, reasoning: string): Promise<string[]> {
    const plain = await essence({ role: "assistant", content: [{ type: "text", text }] });
    const names = [await hashLong(this.#digest, plain)];
    if (reasoning.trim() === "") return names;
    const inlined = JSON.stringify(["assistant", tidy(text), squeeze(reasoning), []]);
    return [...names, await hashLong(this.#digest, inlined)];
  }
}

/** A name for the system text that a chat has been told. */
export async function systemDigest(messages: readonly Message[]): Promise<string> {
  const system = messages.filter(({ role }) => role === "system");
  const texts = await Promise.all(system.map(({ content }) => Promise.all(content.map(partEssence))));
  return texts.length === 0 ? "" : hashLong(JSON.stringify(texts));
}

/** What of a message counts, without what clients change about it. */
async function essence(message: Message): Promise<string> {
  switch (message.role) {
    case "assistant": {
      const { text, reasoning } = ourAnswer(textOf(message.content));
      const calls = (message.toolCalls ?? []).map((call) => [call.name, call.arguments]);
      return JSON.stringify(["assistant", text, reasoning, calls]);
    }
    case "system":
    case "user":
    case "tool": {
      const parts = await Promise.all(message.content.map(partEssence));
      return JSON.stringify([message.role, parts.join("").trim()]);
    }
  }
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

async function partEssence(part: Part): Promise<string> {
  if (part.type === "text") return part.text.replaceAll("\r\n", "\n");
  const { source } = part;
  switch (source.kind) {
    case "link":
      return `\0${part.type} ${source.url}\0`;
    case "bytes":
      return `\0${part.type} ${await hashLong(source.base64)}\0`;
    case "file-id":
      return `\0${part.type} ${source.id}\0`;
  }
}
