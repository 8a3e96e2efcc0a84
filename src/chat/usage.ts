import { estimateTokenCount } from "tokenx";
import type { ChatEvent, Message, Usage } from "../core/types.js";
import { TimeSlicer, textChunks } from "../lib/time-slicing.js";
import { GrowingText } from "./text-buffer.js";

/** Counts the tokens of a turn; by estimate where the upstream does not say what it used, as Kimi's web chat. */
export class UsageMeter {
  readonly #messages: readonly Message[];
  readonly #text = new GrowingText();
  readonly #reasoning = new GrowingText();
  #calls = "";
  #told: Usage | undefined;
  #known = { messages: 0, tokens: 0 };
  #said: Promise<number> | undefined;

  constructor(messages: readonly Message[]) {
    this.#messages = messages;
  }

  /** So many of the first messages were counted earlier: what they took, system text aside. */
  know(messages: number, tokens: number): void {
    this.#known = { messages, tokens };
  }

  /** Takes in what was said. */
  hear(event: ChatEvent): void {
    if (event.type === "text") this.#text.add(event.text);
    else if (event.type === "reasoning") this.#reasoning.add(event.text);
    else if (event.type === "tool-call") this.#calls += (event.name ?? "") + event.arguments;
    else if (event.type === "usage") this.#told = event.usage;
  }

  /** What has been said so far. */
  get text(): string {
    return this.#text.toString();
  }

  get reasoning(): string {
    return this.#reasoning.toString();
  }

  /** What the turn took. */
  async total(): Promise<Usage> {
    if (this.#told) return this.#told;
    const [input, output, reasoning] = [
      await this.#input(),
      await this.#output(),
      await tokens(this.reasoning),
    ];
    return { input, output: output + reasoning, reasoning, cached: 0, estimated: true };
  }

  /** What the history took with its new answer, as it comes back; system text aside. */
  async history(): Promise<number> {
    return (await this.#history()) + perMessage + (await this.#output());
  }

  async #input(): Promise<number> {
    return (await this.#history()) + (await tokensIn(this.#messages.filter(isSystem)));
  }

  async #history(): Promise<number> {
    const unknown = this.#messages.slice(this.#known.messages).filter((message) => !isSystem(message));
    return this.#known.tokens + (await tokensIn(unknown));
  }

  /** Both ask for it, once the answer is over. */
  #output(): Promise<number> {
    this.#said ??= this.#countOutput();
    return this.#said;
  }

  async #countOutput(): Promise<number> {
    return (await tokens(this.text)) + (await tokens(this.#calls));
  }
}

function isSystem({ role }: Message): boolean {
  return role === "system";
}

/** The role and its separators cost a few tokens in every chat format. */
const perMessage = 3;

/** The estimate's dearest character is a lone ☀ with two. */
const mostPerCharacter = 2;

/** What messages cost that were counted already: a request's are, before it is sent and for its usage. */
const counted = new WeakMap<Message, number>();

/** What these messages cost, by estimate. */
export async function tokensIn(messages: readonly Message[]): Promise<number> {
  let sum = 0;
  for (const message of messages) {
    const cost = counted.get(message) ?? (await tokensOf(message));
    counted.set(message, cost);
    sum += cost;
  }
  return sum;
}

/** Whether these messages may cost more than that. Almost none do, and to see it is cheaper than to count. */
export function mayCostMore(messages: readonly Message[], tokens: number): boolean {
  let most = 0;
  for (const message of messages) {
    most += perMessage;
    for (const text of textsOf(message)) most += mostPerCharacter * text.length;
  }
  return most > tokens;
}

async function tokensOf(message: Message): Promise<number> {
  let sum = perMessage;
  for (const text of textsOf(message)) sum += await tokens(text);
  return sum;
}

function textsOf(message: Message): string[] {
  const texts: string[] = [];
  for (const part of message.content) if (part.type === "text") texts.push(part.text);
  if (message.role === "assistant") {
    for (const call of message.toolCalls ?? []) texts.push(call.name, call.arguments);
  }
  return texts;
}

/** Characters that are counted in one step: about a millisecond's work. */
const step = 8_192;

async function tokens(text: string): Promise<number> {
  if (text === "") return 0;
  if (text.length <= step) return estimateTokenCount(text);
  let sum = 0;
  const slices = new TimeSlicer();
  for (const piece of textChunks(text, step)) {
    sum += estimateTokenCount(piece);
    await slices.yieldIfDue();
  }
  return sum;
}
