import { limits } from "../../core/limits.js";
import type { ChatEvent } from "../../core/types.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import { endlessAnswerError } from "../kimi-shared/errors.js";
import type { SearchSources } from "../kimi-shared/search-sources.js";
import {
  type AnswerText,
  endlessTextError,
  type ReceivedText,
  StreamedText,
  type TextChannel,
} from "./text-blocks.js";

/**
 * Holds the text of all blocks back until `flush`, for a client that gets the answer whole: what Kimi replaces or
 * withdraws is never sent, and each citation mark finds its source.
 */
export class HeldText implements AnswerText {
  readonly isInexact = false;
  readonly #drift: ProtocolDrift;
  readonly #streamed: StreamedText;
  readonly #blocks = new Map<string, { channel: TextChannel; text: string }>();
  #length = 0;

  constructor(drift: ProtocolDrift, sources: SearchSources) {
    this.#drift = drift;
    this.#streamed = new StreamedText(drift, sources, { bracketMarks: "if-searched" });
  }

  get length(): number {
    return this.#length + this.#streamed.length;
  }

  get textLength(): number {
    const held = [...this.#blocks.values()].filter(({ channel }) => channel === "text");
    return held.reduce((sum, { text }) => sum + text.length, this.#streamed.textLength);
  }

  get received(): readonly ReceivedText[] {
    const blocks = [...this.#blocks].map(([id, block]) => ({ id, ...block }));
    return blocks.filter(({ text }) => text !== "");
  }

  update(id: string, channel: TextChannel, content: unknown, op: unknown): void {
    const text = typeof content === "string" ? content : "";
    const held = this.#blocks.get(id);
    // Proto JSON omits empty fields, so a `set` without a text may concern another field.
    if (op === "set" && held && text !== "") {
      if (!text.startsWith(held.text)) this.#drift.record("rewrite", channel);
      this.#remove(id, held);
    }
    this.append(id, channel, text);
  }

  append(id: string, channel: TextChannel, addition: string): void {
    if (addition === "") return;
    this.#length += addition.length;
    if (this.#length > limits.answerText) throw endlessTextError();
    const held = this.#blocks.get(id) ?? { channel, text: "" };
    this.#blocks.set(id, { ...held, text: held.text + addition });
    if (this.#blocks.size > limits.answerBlocks) throw endlessAnswerError("blocks");
  }

  withdraw(id: string): void {
    const held = this.#blocks.get(id);
    if (!held) return;
    this.#remove(id, held);
    this.#blocks.delete(id);
  }

  addParagraph(text: string, out: ChatEvent[]): void {
    this.#streamed.addParagraph(text, out);
  }

  flush(out: ChatEvent[]): void {
    for (const [id, { channel, text }] of this.#blocks) this.#streamed.append(id, channel, text, out);
    this.#blocks.clear();
    this.#length = 0;
    this.#streamed.flush(out);
  }

  /** Empties a block; it keeps its place in the answer. */
  #remove(id: string, { channel, text }: { channel: TextChannel; text: string }): void {
    this.#length -= text.length;
    this.#blocks.set(id, { channel, text: "" });
  }
}
