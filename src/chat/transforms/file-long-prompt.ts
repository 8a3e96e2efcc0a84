import type { EventSink, UpstreamRequest } from "../../core/types.js";
import type { FiledPrompt } from "../long-prompts.js";
import type { Transform } from "./transform.js";

/** Sends a prompt whose older part is in a file instead of one that is too long, and says so in a notice before the answer. */
export class FileLongPrompt implements Transform {
  readonly #prompt: FiledPrompt;

  constructor(prompt: FiledPrompt) {
    this.#prompt = prompt;
  }

  request(request: UpstreamRequest): UpstreamRequest {
    return { ...request, messages: this.#prompt.messages };
  }

  events(sink: EventSink): EventSink {
    return (events) => {
      const { notice } = this.#prompt;
      if (!notice) return sink(events);
      this.#prompt.notice = undefined;
      return sink([notice, ...events]);
    };
  }
}
