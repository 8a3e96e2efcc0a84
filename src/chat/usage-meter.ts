import { estimateTokenCount } from "tokenx";
import { isSystem } from "../core/message-content.js";
import type { Answer, ChatEvent, Message, ToolCall, Usage } from "../core/types.js";
import { TimeSlicer, textChunks } from "../lib/time-slicing.js";
import { InlineText } from "./citations.js";
import { TextBuffer } from "./text-buffer.js";

/** Counts the tokens of a turn: as the upstream reports them, else an estimate (Kimi's web chat reports none). */
export class UsageMeter {
  readonly #messages: readonly Message[];
  readonly #text = new TextBuffer();
  readonly #reasoning = new TextBuffer();
  #showsInlineCitations = false;
  /** From the first source on, if the client is shown inline citations. */
  #citedText: InlineText | undefined;
  readonly #calls: ToolCall[] = [];
  #reported: Usage | undefined;
  #knownHistory = { messages: 0, tokens: 0 };
  #outputTokens: Promise<number> | undefined;

  constructor(messages: readonly Message[]) {
    this.#messages = messages;
  }

  /** The token count of the first `messages` messages, without system text, from an earlier turn. */
  setKnownHistory(messages: number, tokens: number): void {
    this.#knownHistory = { messages, tokens };
  }

  record(event: ChatEvent): void {
    if (event.type === "text") this.#text.append(event.text);
    if (event.type === "text" || event.type === "citation") this.#citedText?.add(event);
    else if (event.type === "start") this.#showsInlineCitations = event.citations === "inline";
    else if (event.type === "source") this.#recordSource(event);
    else if (event.type === "reasoning") this.#reasoning.append(event.text);
    else if (event.type === "tool-call") this.#recordCall(event);
    else if (event.type === "usage") this.#reported = event.usage;
  }

  /** The answer so far, as the client is shown it, without the list of sources. */
  get answer(): Answer {
    const text = (this.#citedText ?? this.#text).toString();
    return { text, reasoning: this.#reasoning.toString(), toolCalls: this.#calls };
  }

  /** The usage of the whole turn, once the answer is complete. */
  async total(): Promise<Usage> {
    if (this.#reported) return this.#reported;
    const [input, output, reasoning] = [
      await this.#countInput(),
      await this.#countOutputOnce(),
      await countText(this.#reasoning.toString()),
    ];
    return { input, output: output + reasoning, reasoning, cached: 0, estimated: true };
  }

  /** Tokens of the history including the new answer, without reasoning and system text. */
  async historyTokens(): Promise<number> {
    return (await this.#countHistory()) + tokensPerMessage + (await this.#countOutputOnce());
  }

  async #countInput(): Promise<number> {
    return (await this.#countHistory()) + (await countTokens(this.#messages.filter(isSystem)));
  }

  async #countHistory(): Promise<number> {
    const unknown = this.#messages.slice(this.#knownHistory.messages).filter((message) => !isSystem(message));
    return this.#knownHistory.tokens + (await countTokens(unknown));
  }

  #countOutputOnce(): Promise<number> {
    this.#outputTokens ??= this.#countOutput();
    return this.#outputTokens;
  }

  async #countOutput(): Promise<number> {
    const calls = this.#calls.map((call) => call.name + call.arguments).join("");
    return (await countText(this.#text.toString())) + (await countText(calls));
  }

  #recordSource(event: Extract<ChatEvent, { type: "source" }>): void {
    if (!this.#showsInlineCitations) return;
    this.#citedText ??= new InlineText(this.#text.toString());
    this.#citedText.add(event);
  }

  #recordCall(event: Extract<ChatEvent, { type: "tool-call" }>): void {
    const call = this.#calls[event.index];
    if (call) call.arguments += event.arguments;
    else
      this.#calls[event.index] = { id: event.id ?? "", name: event.name ?? "", arguments: event.arguments };
  }
}

/** For the role and separators, as in every chat format. */
const tokensPerMessage = 3;

/** Upper bound of the estimate; a lone ☀ counts as two. */
const maxTokensPerCharacter = 2;

/** Cache: a request's messages are counted before it is sent and again for its usage. */
const tokenCounts = new WeakMap<Message, number>();

/** Estimated tokens of the messages. */
export async function countTokens(messages: readonly Message[]): Promise<number> {
  let sum = 0;
  const slicer = new TimeSlicer();
  for (const message of messages) {
    const tokens = tokenCounts.get(message) ?? (await countMessage(message));
    tokenCounts.set(message, tokens);
    sum += tokens;
    await slicer.yieldIfDue();
  }
  return sum;
}

/** Whether the messages may have more tokens than the limit, by an upper bound that is cheaper than counting. */
export function mayExceed(messages: readonly Message[], limit: number): boolean {
  let upperBound = 0;
  for (const message of messages) {
    upperBound += tokensPerMessage;
    for (const text of messageTexts(message)) upperBound += maxTokensPerCharacter * text.length;
  }
  return upperBound > limit;
}

async function countMessage(message: Message): Promise<number> {
  let sum = tokensPerMessage;
  for (const text of messageTexts(message)) sum += await countText(text);
  return sum;
}

function messageTexts(message: Message): string[] {
  const texts: string[] = [];
  for (const part of message.content) if (part.type === "text") texts.push(part.text);
  if (message.role === "assistant") {
    for (const call of message.toolCalls ?? []) texts.push(call.name, call.arguments);
  }
  return texts;
}

/** Characters counted in one step: about a millisecond of work. */
const chunkSize = 8_192;

async function countText(text: string): Promise<number> {
  if (text === "") return 0;
  if (text.length <= chunkSize) return estimateTokenCount(text);
  let sum = 0;
  const slicer = new TimeSlicer();
  for (const chunk of textChunks(text, chunkSize)) {
    sum += estimateTokenCount(chunk);
    await slicer.yieldIfDue();
  }
  return sum;
}
