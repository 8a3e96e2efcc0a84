import type { MediaPart, Message, Part, ToolCall } from "../../core/types.js";
import { cutPosition } from "../../lib/text-chunks.js";
import { writeCall } from "./call-form.js";
import { escapeMarkup } from "./escape-markup.js";
import type { ToolAliases } from "./tool-aliases.js";

export type HistoryInput = {
  messages: readonly Message[];
  /** The calls that the chat has and that the first results belong to. */
  openCalls: readonly ToolCall[];
  aliases: ToolAliases;
  word: string;
  maxOldResultCharacters: number;
};

type ToolMessage = Extract<Message, { role: "tool" }>;
/** An assistant message, if there is one, and what follows until the next one. */
type Round = { assistant: Extract<Message, { role: "assistant" }> | undefined; others: Message[] };

/**
 * Writes messages as paragraphs with their roles: calls in the form asked for, results numbered by round, our tag escaped in
 * everything else. Pictures and files are collected, with `[attachment n]` in their place. Empty messages are left out.
 */
export class HistoryWriter {
  readonly media: MediaPart[] = [];
  readonly #input: HistoryInput;

  constructor(input: HistoryInput) {
    this.#input = input;
  }

  /** The paragraphs, oldest first. */
  write(): string[] {
    const rounds = splitRounds(this.#input.messages);
    return rounds.flatMap((round, index) =>
      this.#writeRound(round, { isNewest: index === rounds.length - 1 }),
    );
  }

  #writeRound({ assistant, others }: Round, { isNewest }: { isNewest: boolean }): string[] {
    const calls = assistant ? (assistant.toolCalls ?? []) : this.#input.openCalls;
    const results = others.filter((message) => message.role === "tool");
    const first = Math.max(
      0,
      others.findIndex(({ role }) => role === "tool"),
    );
    // In the order in which they stand, so that attachments are numbered from top to bottom.
    return [
      ...(assistant ? this.#writeAssistant(assistant) : []),
      ...others.slice(0, first).flatMap((message) => this.#writeSpoken(message)),
      ...(others.length > 0 ? this.#writeResults(calls, results, isNewest) : []),
      ...others.slice(first).flatMap((message) => this.#writeSpoken(message)),
    ];
  }

  #writeAssistant({ content, toolCalls = [] }: NonNullable<Round["assistant"]>): string[] {
    const { aliases, word } = this.#input;
    const text = escapeMarkup(this.#textOf(content)).trim();
    const calls = toolCalls.map((call) => writeCall(aliases.told(call.name), writeArguments(call), word));
    const lines = [text === "" ? "assistant:" : `assistant: ${text}`, ...calls];
    return text === "" && calls.length === 0 ? [] : [lines.join("\n")];
  }

  #writeSpoken({ role, content }: Message): string[] {
    if (role === "tool") return [];
    const text = escapeMarkup(this.#textOf(content));
    return text.trim() === "" ? [] : [`${role}: ${text}`];
  }

  #writeResults(calls: readonly ToolCall[], results: readonly ToolMessage[], isNewest: boolean): string[] {
    const matched = matchResults(calls, results);
    return matched.map(({ call, result }, index) => {
      const name = call?.name ?? result?.name;
      const told = name === undefined ? "function" : this.#input.aliases.told(name);
      const text = result
        ? this.#writeResult(result, isNewest)
        : "(missing: the program has sent no result of this call)";
      return `result of ${told}, call ${index + 1} of ${matched.length}: ${text}`;
    });
  }

  #writeResult({ content }: ToolMessage, isNewest: boolean): string {
    const text = this.#textOf(content);
    const limit = this.#input.maxOldResultCharacters;
    if (isNewest || text.length <= limit) return escapeMarkup(text);
    const end = cutPosition(text, limit);
    const rest = (text.length - end).toLocaleString("en-US");
    return `${escapeMarkup(text.slice(0, end))}\n[… ${rest} further characters of this old result are left out]`;
  }

  /** Joined before it is escaped, since a tag may be divided over parts. */
  #textOf(content: readonly Part[]): string {
    return content.map((part) => this.#writePart(part)).join("");
  }

  #writePart(part: Part): string {
    if (part.type === "text") return part.text;
    this.media.push(part);
    return `[attachment ${this.media.length}${part.name ? `: ${part.name}` : ""}]`;
  }
}

function splitRounds(messages: readonly Message[]): Round[] {
  const rounds: Round[] = [];
  for (const message of messages) {
    if (message.role === "assistant") rounds.push({ assistant: message, others: [] });
    else if (rounds.length === 0) rounds.push({ assistant: undefined, others: [message] });
    else rounds.at(-1)?.others.push(message);
  }
  return rounds;
}

type Match = { call: ToolCall | undefined; result: ToolMessage | undefined };

/** Results in the order of their calls, by id; those whose id no call has fill the gaps in their own order. */
function matchResults(calls: readonly ToolCall[], results: readonly ToolMessage[]): Match[] {
  const left = [...results];
  const take = (index: number) => (index === -1 ? undefined : left.splice(index, 1)[0]);
  const matches: Match[] = calls.map((call) => ({
    call,
    result: take(left.findIndex(({ toolCallId }) => toolCallId === call.id)),
  }));
  const ids = new Set(calls.map(({ id }) => id));
  for (const match of matches) {
    match.result ??= take(left.findIndex(({ toolCallId }) => !ids.has(toolCallId)));
  }
  return [...matches, ...left.map((result) => ({ call: undefined, result }))];
}

/** The arguments in one line, with our tag escaped. Some clients write `<` as an escape sequence. */
function writeArguments({ arguments: json }: ToolCall): string {
  if (json.trim() === "") return "{}";
  const isPlain = !/[\r\n\u2028\u2029]|\\u00|\\\//i.test(json);
  return escapeMarkup(isPlain ? json : rewriteJson(json));
}

function rewriteJson(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json));
  } catch {
    return JSON.stringify(json);
  }
}
