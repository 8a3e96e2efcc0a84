import { estimateTokenCount } from "tokenx";
import type { ChatEvent, Message, Usage } from "./types.js";

/** Counts the tokens of a turn; by estimate where the upstream does not say what it used, as Kimi's web chat. */
export class UsageMeter {
  readonly #messages: readonly Message[];
  #text = "";
  #reasoning = "";
  #calls = "";
  #told: Usage | undefined;

  constructor(messages: readonly Message[]) {
    this.#messages = messages;
  }

  /** Takes in what was said. */
  hear(event: ChatEvent): void {
    if (event.type === "text") this.#text += event.text;
    else if (event.type === "reasoning") this.#reasoning += event.text;
    else if (event.type === "tool-call") this.#calls += (event.name ?? "") + event.arguments;
    else if (event.type === "usage") this.#told = event.usage;
  }

  /** What has been said so far. */
  get text(): string {
    return this.#text;
  }

  get reasoning(): string {
    return this.#reasoning;
  }

  total(): Usage {
    if (this.#told) return this.#told;
    const reasoning = tokens(this.#reasoning);
    return {
      input: this.#messages.reduce((sum, message) => sum + perMessage + tokensOf(message), 0),
      output: tokens(this.#text) + tokens(this.#calls) + reasoning,
      reasoning,
      cached: 0,
      estimated: true,
    };
  }
}

/** The role and its separators cost a few tokens in every chat format. */
const perMessage = 3;

/** What a message costs, by estimate. */
export function tokensOf(message: Message): number {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  const spoken = message.content.reduce(
    (sum, part) => sum + (part.type === "text" ? tokens(part.text) : 0),
    0,
  );
  return calls.reduce((sum, call) => sum + tokens(call.name) + tokens(call.arguments), spoken);
}

function tokens(text: string): number {
  return text === "" ? 0 : estimateTokenCount(text);
}
