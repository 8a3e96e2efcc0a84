import type { EventSink, Message, UpstreamRequest } from "../../core/types.js";
import type { AttachedMessage, Attachments } from "../attachments.js";
import { UnpreparedError } from "../thread.js";
import type { Transform } from "./transform.js";

/**
 * Sends all messages as one message with their uploaded files, as Kimi's chats take them. Links that were not attached are
 * said in notices before the answer. Throws UnpreparedError if something is not uploaded yet.
 */
export class MergeMessages implements Transform {
  readonly #attachments: Attachments;
  readonly #messages: readonly Message[];
  #notices: AttachedMessage["notices"] = [];

  /** `messages`: the client's, in which links are looked for. */
  constructor(attachments: Attachments, messages: readonly Message[]) {
    this.#attachments = attachments;
    this.#messages = messages;
  }

  request(request: UpstreamRequest): UpstreamRequest {
    const merged = this.#attachments.merge(request.messages, this.#messages);
    if (!merged) throw new UnpreparedError();
    this.#notices = merged.notices;
    return { ...request, messages: [{ role: "user", content: merged.content }] };
  }

  events(sink: EventSink): EventSink {
    return (events) => {
      if (this.#notices.length === 0) return sink(events);
      const notices = this.#notices;
      this.#notices = [];
      return sink([...notices, ...events]);
    };
  }
}
