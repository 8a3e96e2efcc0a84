import type { Exchange } from "../chats.js";
import { Refusal } from "../errors.js";
import type { JsonObject } from "../json.js";
import type { Teller } from "../player.js";
import type { Wire } from "../response-writer.js";
import type { MessageStatus, Place, StepOf } from "../steps.js";
import { errorEvent, legacyError } from "./errors.js";

export type LegacyTellingOptions = {
  /** The user's words as they came; undefined where an answer is continued and nothing was asked. */
  asked: string | undefined;
  refs: readonly unknown[];
};

/** One answer as server-sent events (kimi-web.md §1.5). It has no words for thoughts, banners and rewriting. */
export class LegacyTelling implements Teller {
  readonly #wire: Wire;
  readonly #exchange: Exchange;
  readonly #options: LegacyTellingOptions;
  #said: string;
  #failed = false;

  constructor(wire: Wire, exchange: Exchange, options: LegacyTellingOptions) {
    this.#wire = wire;
    this.#exchange = exchange;
    this.#options = options;
    this.#said = exchange.assistant.text;
  }

  open(): void {
    const { user, assistant } = this.#exchange;
    const { asked, refs } = this.#options;
    const group_id = this.#exchange.chat.id;
    if (asked !== undefined) this.#event({ event: "req", content: asked, group_id, id: user.id, refs });
    this.#event({ event: "resp", group_id, id: assistant.id });
  }

  delta(kind: "think" | "text", delta: string): void {
    if (kind === "think") return;
    this.#said += delta;
    this.#event(cmpl(delta));
  }

  *search({ sources }: StepOf<"search">): Generator<void> {
    this.#event({ event: "search_plus", msg: { type: "start" } });
    yield;
    for (const [index, { title, url }] of sources.entries()) {
      this.#event({ event: "search_plus", msg: { successNum: index + 1, title, type: "get_res", url } });
      yield;
    }
  }

  rewrite(): void {}

  except({ reason, severity, message }: StepOf<"exception">): void {
    if (severity === "SEVERITY_INFO") return;
    this.#error(new Refusal({ code: "internal", reason, message }));
    // Kimi closes a chat in which it had to withdraw something (kimi-web.md §1.6).
    if (severity === "SEVERITY_MESSAGE_RETRACT") this.#exchange.chat.disabled = true;
  }

  notify(): void {}

  /** Both forms that the sources know of. */
  heartbeat(): void {
    this.#wire.bytes(Buffer.from(": ping\n\n"));
    this.#event({ event: "ping" });
  }

  name(given: string | undefined): void {
    const { chat, user } = this.#exchange;
    chat.name = given ?? (Array.from(user.text.trim()).slice(0, 30).join("") || chat.name);
  }

  raw(frame: StepOf<"raw">["frame"]): void {
    const { chat, assistant } = this.#exchange;
    const place: Place = { chatId: chat.id, messageId: assistant.id, eventOffset: 0, block: "" };
    this.#event(typeof frame === "function" ? frame(place) : frame);
  }

  /** An answer that was stopped on Kimi's side just ends. */
  end(status: MessageStatus): void {
    this.#exchange.assistant.status = `MESSAGE_STATUS_${status}`;
    if (status === "CANCELLED") return;
    if (status === "ERROR") {
      if (!this.#failed) this.#error(new Refusal({ code: "internal" }));
      return;
    }
    this.#event({ event: status === "TRUNCATED" ? "length" : "done" });
    this.#event({ event: "all_done" });
  }

  fail(ending: StepOf<"error-trailer">): void {
    this.#exchange.assistant.status = "MESSAGE_STATUS_ERROR";
    if (ending.afterDone) this.#event({ event: "done" });
    this.#error(new Refusal(ending));
  }

  spare(): Buffer {
    return frame(cmpl("never seen in full"));
  }

  remember(): void {
    const { assistant } = this.#exchange;
    assistant.text = this.#said;
    if (assistant.status === "MESSAGE_STATUS_GENERATING") assistant.status = "MESSAGE_STATUS_CANCELLED";
  }

  #error(refusal: Refusal): void {
    this.#failed = true;
    this.#event(errorEvent(legacyError(refusal)));
  }

  #event(event: JsonObject): void {
    this.#wire.bytes(frame(event));
  }
}

/** A delta in the form of 2025 (kimi-web.md §1.5). */
function cmpl(text: string): JsonObject {
  return { event: "cmpl", idx_s: 0, idx_z: 0, text, view: "cmpl" };
}

function frame(event: JsonObject): Buffer {
  return Buffer.from(`data: ${JSON.stringify(event)}\n\n`);
}
