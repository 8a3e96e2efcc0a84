import { isSystem, textOf } from "../core/message-content.js";
import type { Answer, MediaPart, Message, Part, ToolCall } from "../core/types.js";
import { hash, hashLong, keyedHash, keyedHashLong } from "../lib/hash.js";
import { canonicalJson } from "../lib/json.js";
import { withoutCitations } from "./citations.js";

/**
 * Hashes of single messages and other values of one principal. Equal messages have equal hashes, whatever clients
 * change about our answers when they send them back. The hashes are keyed (HMAC) and cover the principal, so equal messages of
 * two principals differ, and nobody can test a guess without the key.
 */
export class MessageHasher {
  readonly #key: string;
  readonly #principal: string;

  constructor(key: string, principal: string) {
    this.#key = key;
    this.#principal = principal;
  }

  /** The hash of a user, assistant or tool message. */
  async message(message: Message): Promise<string> {
    return keyedHashLong(this.#key, this.#principal, await normalizeMessage(message));
  }

  /** The hashes of an answer, one for each form in which clients send it back: without and with its reasoning. */
  async answer({ text, reasoning, toolCalls }: Answer): Promise<string[]> {
    const returned: Message = { role: "assistant", content: [{ type: "text", text }], toolCalls };
    const plain = await this.message(returned);
    if (reasoning.trim() === "") return [plain];
    const { text: visible } = parseReturnedAnswer(text);
    const withReasoning = joinFields(
      "assistant",
      visible,
      normalizeReasoning(reasoning),
      canonicalCalls(toolCalls),
    );
    const inlined = await keyedHashLong(this.#key, this.#principal, withReasoning);
    return inlined === plain ? [plain] : [plain, inlined];
  }

  /** A keyed hash of another value of the principal; `purpose` separates kinds of values. */
  value(purpose: string, value: string): string {
    return keyedHash(this.#key, this.#principal, purpose, value);
  }

  longValue(purpose: string, value: string): Promise<string> {
    return keyedHashLong(this.#key, this.#principal, purpose, value);
  }
}

/** The hash of a path with one more message. */
export function appendToPath(path: string, message: string): string {
  return hash(path, message).slice(0, path.length);
}

/** Whether an answer has at least so many characters, normalized and without reasoning. */
export function hasAnswerLength(message: Message, length: number): boolean {
  const { text } = parseReturnedAnswer(textOf(message.content));
  // A character is one or two UTF-16 code units.
  return Array.from(text.slice(0, 2 * length)).length >= length;
}

/** The text of each system message. Media count by what identifies them. */
export async function systemTexts(messages: readonly Message[]): Promise<string[]> {
  const system = messages.filter(isSystem);
  return Promise.all(system.map(({ content }) => normalizeContent(content)));
}

/** The text of a message that is hashed, without what clients change about it. */
async function normalizeMessage(message: Message): Promise<string> {
  switch (message.role) {
    case "assistant": {
      const { text, reasoning } = parseReturnedAnswer(textOf(message.content));
      return joinFields(message.role, text, reasoning, canonicalCalls(message.toolCalls ?? []));
    }
    case "system":
    case "user":
    case "tool":
      return joinFields(message.role, await normalizeContent(message.content));
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
 * Parses one of our answers as clients send it back: trimmed, with or without citations, the reasoning inlined as a
 * `<think>` block or, by NextChat, as quoted lines in front (clients.md §2.1).
 */
function parseReturnedAnswer(returned: string): { text: string; reasoning: string } {
  const text = normalizeAnswer(returned);
  const inlined = /^<think>([\s\S]*?)<\/think>\s*/.exec(text) ?? /^((?:>[^\n]*\n)+)\s*/.exec(text);
  const rest = inlined ? text.slice(inlined[0].length) : text;
  if (!inlined || rest === "") return { text, reasoning: "" };
  return { text: rest, reasoning: normalizeReasoning(inlined[1] ?? "") };
}

/** Longer arguments of one message are compared as they are: parsing them could hold up other requests. */
const maxParsedArguments = 262_144;

function canonicalCalls(calls: readonly ToolCall[]): (readonly [string, string])[] {
  const length = calls.reduce((sum, call) => sum + call.arguments.length, 0);
  if (length <= maxParsedArguments) return calls.map(canonicalCall);
  return calls.map(({ name, arguments: text }) => [name, text]);
}

/** A tool call by name and arguments as JSON with sorted keys: clients change ids and white space. */
function canonicalCall({ name, arguments: text }: ToolCall): [string, string] {
  // Clients make an object of no arguments at all.
  if (text.trim() === "") return [name, "{}"];
  try {
    return [name, canonicalJson(JSON.parse(text))];
  } catch {
    return [name, text];
  }
}

function normalizeAnswer(answer: string): string {
  return withoutCitations(answer.replaceAll("\r\n", "\n").trim());
}

/** Removes whitespace and quote marks, since quoting changes them. */
function normalizeReasoning(reasoning: string): string {
  return reasoning.replace(/[\s>]+/g, "");
}

async function normalizeContent(content: readonly Part[]): Promise<string> {
  const texts: string[] = [];
  for (const part of content) {
    texts.push(part.type === "text" ? part.text.replaceAll("\r\n", "\n") : await identifyMedia(part));
  }
  return texts.join("").trim();
}

async function identifyMedia({ type, source }: MediaPart): Promise<string> {
  switch (source.kind) {
    case "link":
      return `\0${type} ${source.url}\0`;
    case "bytes":
      return `\0${type} ${await hashLong(source.base64)}\0`;
    case "file-id":
      return `\0${type} ${source.id}\0`;
  }
}
