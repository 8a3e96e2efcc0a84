import { isSystem, textOf } from "../core/message-content.js";
import type { ChatRequest, Message } from "../core/types.js";
import type { KnownPrompt, PromptTemplate } from "./known-prompts/known-prompt.js";
import { knownPrompts } from "./known-prompts/known-prompts.js";
import type { Route } from "./model-router.js";

/**
 * Recognises side requests of clients: by their whole known prompts, and by patterns of the configuration. A request that
 * names a conversation, or asks for thinking or search, is none, whatever it says.
 */
export class SideRequestMatcher {
  readonly #patterns: readonly RegExp[];

  /** `patterns`: regular expressions, without regard to case. */
  constructor(patterns: readonly string[] = []) {
    this.#patterns = patterns.map((pattern) => new RegExp(pattern, "i"));
  }

  isSideRequest(
    { messages, conversation }: Pick<ChatRequest, "messages" | "conversation">,
    { asksForThinkingOrSearch }: Pick<Route, "asksForThinkingOrSearch">,
  ): boolean {
    if (conversation !== undefined || asksForThinkingOrSearch) return false;
    return isKnownSideRequest(messages) || this.#matchesPattern(messages);
  }

  /** The first 4,000 characters of a message are tested: a pattern must not run over megabytes. */
  #matchesPattern(messages: readonly Message[]): boolean {
    if (this.#patterns.length === 0) return false;
    const last = messages.at(-1);
    const system = messages.filter(isSystem);
    const texts = [...system, ...(last && last.role !== "assistant" ? [last] : [])].map((message) =>
      textOf(message.content).trim().slice(0, 4_000),
    );
    return texts.some((text) => this.#patterns.some((pattern) => pattern.test(text)));
  }
}

/** Whether the text is this whole prompt. Takes time in proportion to the text's length. */
export function matchesTemplate(text: string, template: PromptTemplate): boolean {
  let position = 0;
  let gap = 0;
  for (const [index, piece] of template.entries()) {
    if (typeof piece === "number") {
      gap = piece;
      continue;
    }
    const isEnd = index === template.length - 1;
    const start = isEnd ? startOfEnd(text, piece) : findWithin(text, piece, position, gap);
    if (start < position || start - position > gap) return false;
    position = start + piece.length;
    gap = 0;
  }
  return text.length - position <= gap;
}

function startOfEnd(text: string, piece: string): number {
  return text.endsWith(piece) ? text.length - piece.length : -1;
}

/** The index of the piece if it begins at most `gap` characters after the position, else -1. */
function findWithin(text: string, piece: string, position: number, gap: number): number {
  if (gap === 0) return text.startsWith(piece, position) ? position : -1;
  if (gap === Number.POSITIVE_INFINITY) return text.indexOf(piece, position);
  const index = text.slice(position, position + gap + piece.length).indexOf(piece);
  return index === -1 ? -1 : position + index;
}

function isKnownSideRequest(messages: readonly Message[]): boolean {
  const system = messages.filter(isSystem);
  const others = messages.filter((message) => !isSystem(message));
  const last = messages.at(-1);
  const lastUser = others.at(-1)?.role === "user" ? others.at(-1) : undefined;
  const onlyUserMessages = lastUser !== undefined && others.every(({ role }) => role === "user");
  const texts = {
    only: others.length === 1 ? plainText(lastUser) : undefined,
    closing: others.length > 1 && last === lastUser ? plainText(lastUser) : undefined,
    "closing-system": others.length > 0 && last?.role === "system" ? plainText(last) : undefined,
    system: system.length === 1 && onlyUserMessages ? plainText(system[0]) : undefined,
    agent: plainText(system[0]),
  };
  const isSent = ({ place, template, user }: KnownPrompt): boolean => {
    const text = texts[place];
    if (text === undefined || !matchesTemplate(text, template)) return false;
    return user === undefined || matchesTemplate(plainText(lastUser) ?? "", user);
  };
  return knownPrompts.some(isSent);
}

/** The text of a message, trimmed; undefined if it has a picture or a file. */
function plainText(message: Message | undefined): string | undefined {
  if (message === undefined || message.content.some(({ type }) => type !== "text")) return undefined;
  return textOf(message.content).trim();
}
