import type { Answer, ChatEvent, CitationMode, EventSink, ToolCall } from "../../core/types.js";
import { InlineText } from "../citations.js";
import type { Transform } from "./transform.js";

type ToolCallEvent = Extract<ChatEvent, { type: "tool-call" }>;

/** Records the answer as the client is shown it, for usage and for the conversation. */
export class AnswerRecorder implements Transform {
  readonly #showsInlineCitations: boolean;
  #text = "";
  #reasoning = "";
  /** From the first source on, if the client is shown inline citations. */
  #citedText: InlineText | undefined;
  readonly #toolCalls: ToolCall[] = [];

  constructor(citations: CitationMode) {
    this.#showsInlineCitations = citations === "inline";
  }

  events(sink: EventSink): EventSink {
    return (events) => {
      for (const event of events) this.#record(event);
      return sink(events);
    };
  }

  /** The answer so far, without the list of sources. */
  get answer(): Answer {
    const text = this.#citedText?.text ?? this.#text;
    return { text, reasoning: this.#reasoning, toolCalls: this.#toolCalls };
  }

  /** The text so far as the upstream wrote it, without inline citations. */
  get uncitedText(): string {
    return this.#text;
  }

  #record(event: ChatEvent): void {
    if (event.type === "text") this.#text += event.text;
    if (event.type === "text" || event.type === "citation") this.#citedText?.add(event);
    else if (event.type === "source") this.#recordSource(event);
    else if (event.type === "reasoning") this.#reasoning += event.text;
    else if (event.type === "tool-call") this.#recordCall(event);
  }

  #recordSource(event: Extract<ChatEvent, { type: "source" }>): void {
    if (!this.#showsInlineCitations) return;
    this.#citedText ??= new InlineText(this.#text);
    this.#citedText.add(event);
  }

  #recordCall({ index, id = "", name = "", arguments: text }: ToolCallEvent): void {
    const call = this.#toolCalls[index];
    if (call) call.arguments += text;
    else this.#toolCalls[index] = { id, name, arguments: text };
  }
}
