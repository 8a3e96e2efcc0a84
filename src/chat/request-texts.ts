import type { JournalTexts } from "../core/journal.js";
import { limits } from "../core/limits.js";
import type { EventSink, Message } from "../core/types.js";
import { cutPosition } from "../lib/text-chunks.js";

/** The beginning of what was said in one request, for the journal: its last user message and the answer's text so far. */
export class RequestTexts {
  readonly #prompt: Pick<JournalTexts, "prompt" | "promptLength" | "earlier">;
  #answer = "";
  #answerLength = 0;

  constructor(messages: readonly Message[]) {
    this.#prompt = readPrompt(messages);
  }

  /** Records the text of the events that the client is given. */
  events(sink: EventSink): EventSink {
    return (events) => {
      for (const event of events) {
        if (event.type === "text") this.#addText(event.text);
        else if (event.type === "retract") this.#forgetAnswer();
      }
      return sink(events);
    };
  }

  get texts(): JournalTexts {
    return { ...this.#prompt, answer: beginningOf(this.#answer), answerLength: this.#answerLength };
  }

  #addText(text: string): void {
    this.#answerLength += text.length;
    // One more than is kept, so that a surrogate pair at the cut is seen.
    const room = limits.journalText + 1 - this.#answer.length;
    if (room > 0) this.#answer += text.slice(0, room);
  }

  #forgetAnswer(): void {
    this.#answer = "";
    this.#answerLength = 0;
  }
}

function readPrompt(messages: readonly Message[]) {
  const last = messages.findLastIndex(({ role }) => role === "user");
  const parts = messages[last]?.content ?? [];
  const text = parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
  return { prompt: beginningOf(text), promptLength: text.length, earlier: Math.max(0, last) };
}

function beginningOf(text: string): string {
  return text.length > limits.journalText ? text.slice(0, cutPosition(text, limits.journalText)) : text;
}
