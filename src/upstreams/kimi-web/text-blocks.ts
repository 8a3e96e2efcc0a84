import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent } from "../../core/types.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import { endlessAnswerError } from "../kimi-shared/errors.js";
import type { SearchSources } from "../kimi-shared/search-sources.js";
import { CitationMarkParser, type TextSegment } from "./citation-marks.js";

/** The block kinds whose text is part of the answer, by Kimi's names: `think` becomes reasoning. */
export type TextChannel = "text" | "think";

/** A block's text, as far as it was received. */
export type ReceivedText = { readonly id: string; readonly channel: TextChannel; readonly text: string };

/** The texts of an answer's blocks by block id, extended by `append` and replaced by `set` (kimi-web.md §2.5). */
export type AnswerText = {
  /** Characters of all blocks. */
  readonly length: number;
  /** Characters of the blocks that are not reasoning. */
  readonly textLength: number;
  /** Whether something was emitted that Kimi has replaced since. */
  readonly isInexact: boolean;
  /** The texts in the order of the answer; undefined if a block was extended when a later one had begun. */
  readonly received: readonly ReceivedText[] | undefined;
  /** Applies one `set` or `append` of a block's content. Throws GatewayError for a text without end. */
  update(id: string, channel: TextChannel, content: unknown, op: unknown, out: ChatEvent[]): void;
  /** Extends a block. */
  append(id: string, channel: TextChannel, addition: string, out: ChatEvent[]): void;
  /** Removes a block that Kimi has withdrawn, if there is one with this id. Throws GatewayError if it was sent on. */
  withdraw(id: string, out: ChatEvent[]): void;
  /** Adds a paragraph in which nothing is a citation mark. To be called after `flush`. */
  addParagraph(text: string, out: ChatEvent[]): void;
  /** Emits what is held back. To be called at the end of the answer. */
  flush(out: ChatEvent[]): void;
};

/** A block and its text as Kimi has sent it so far. A `set` that begins with the text is a snapshot. */
type Block = { readonly id: string; readonly channel: TextChannel; text: string };

/** Where the events of the newest block begin, if they are still in the batch that has not been emitted. */
type BlockStart = { batch: ChatEvent[]; index: number; channel: TextChannel; hadText: boolean };

/** Emits the text of blocks as it comes, without citation marks. */
export class StreamedText implements AnswerText {
  readonly #drift: ProtocolDrift;
  readonly #sources: SearchSources;
  readonly #blocks = new Map<string, Block>();
  readonly #hasText = { text: false, think: false };
  readonly #citationMarks: CitationMarkParser;
  /** The block that was extended last. */
  #current: Block | undefined;
  #currentStart: BlockStart | undefined;
  #length = 0;
  #textLength = 0;
  #isInexact = false;
  #isInterleaved = false;

  /** `options`: see CitationMarkParser. */
  constructor(drift: ProtocolDrift, sources: SearchSources, options: { bracketMarks?: "if-searched" } = {}) {
    this.#drift = drift;
    this.#sources = sources;
    this.#citationMarks = new CitationMarkParser(sources, options);
  }

  get length(): number {
    return this.#length;
  }

  get textLength(): number {
    return this.#textLength;
  }

  get isInexact(): boolean {
    return this.#isInexact;
  }

  get received(): readonly ReceivedText[] | undefined {
    return this.#isInterleaved ? undefined : [...this.#blocks.values()];
  }

  /** Throws `upstream_protocol` for a `set` that replaces text which was sent on. */
  update(id: string, channel: TextChannel, content: unknown, op: unknown, out: ChatEvent[]): void {
    const text = typeof content === "string" ? content : "";
    const block = this.#blocks.get(id);
    if (op !== "set" || !block) this.append(id, channel, text, out);
    else if (text.startsWith(block.text)) this.append(id, channel, text.slice(block.text.length), out);
    else this.#rewrite(id, channel, text, out);
  }

  append(id: string, channel: TextChannel, addition: string, out: ChatEvent[]): void {
    if (addition === "") return;
    this.#addLength(channel, addition.length);
    const separator = this.#current?.id === id ? "" : this.#startBlock(id, channel, out);
    if (this.#current) this.#current.text += addition;
    const text = separator + addition;
    if (channel === "think") out.push({ type: "reasoning", text });
    else if (this.#citationMarks.isPlain(text)) out.push({ type: "text", text });
    else this.#emitSegments(this.#citationMarks.push(text), out);
  }

  withdraw(id: string, out: ChatEvent[]): void {
    if (!this.#blocks.get(id)?.text) return;
    if (!this.#takeBack(id, out)) throw rewrittenError();
  }

  addParagraph(text: string, out: ChatEvent[]): void {
    this.#addLength("text", text.length);
    out.push({ type: "text", text: this.#hasText.text ? `\n\n${text}` : text });
    this.#hasText.text = true;
  }

  flush(out: ChatEvent[]): void {
    this.#emitSegments(this.#citationMarks.flush(), out);
  }

  #addLength(channel: TextChannel, length: number): void {
    this.#length += length;
    if (channel === "text") this.#textLength += length;
    if (this.#length > limits.answerText) throw endlessTextError();
  }

  /** Switches to another block. Returns the separator before its text: Kimi shows each block as its own paragraph. */
  #startBlock(id: string, channel: TextChannel, out: ChatEvent[]): string {
    this.flush(out);
    const known = this.#blocks.get(id);
    const hadText = this.#hasText[channel];
    this.#currentStart = known ? undefined : { batch: out, index: out.length, channel, hadText };
    this.#isInterleaved ||= known !== undefined;
    this.#current = known ?? { id, channel, text: "" };
    this.#blocks.set(id, this.#current);
    if (this.#blocks.size > limits.answerBlocks) throw endlessAnswerError("blocks");
    this.#hasText[channel] = true;
    return !known && hadText ? "\n\n" : "";
  }

  /** Replaces the text of a block. Of reasoning that was sent on the client keeps the first version. */
  #rewrite(id: string, channel: TextChannel, content: string, out: ChatEvent[]): void {
    this.#drift.record("rewrite", content === "" ? `${channel}-empty` : channel);
    // Proto JSON omits empty fields, so this `set` may concern another one.
    if (content === "") return;
    if (this.#takeBack(id, out)) this.append(id, channel, content, out);
    else if (channel === "text") throw rewrittenError();
    else this.#keepFirstReasoning(id, content, out);
  }

  /** Removes the block from the batch that is being filled; false if some of it may have been sent on. */
  #takeBack(id: string, out: ChatEvent[]): boolean {
    const start = this.#currentStart;
    if (this.#current?.id !== id || start?.batch !== out) return false;
    const others = out.splice(start.index).filter(({ type }) => !textEvents.has(type));
    out.push(...others);
    this.#citationMarks.flush();
    this.#addLength(start.channel, -this.#current.text.length);
    this.#hasText[start.channel] = start.hadText;
    this.#blocks.delete(id);
    this.#current = undefined;
    return true;
  }

  #keepFirstReasoning(id: string, content: string, out: ChatEvent[]): void {
    this.#isInexact = true;
    const block = this.#blocks.get(id);
    if (block) block.text = content;
    const message = "Kimi rewrote a part of its reasoning; the reasoning shown has the first version.";
    out.push({ type: "notice", code: "reasoning_rewritten", message });
  }

  #emitSegments(segments: readonly TextSegment[], out: ChatEvent[]): void {
    for (const segment of segments) {
      if (segment.type === "text") out.push(segment);
      else this.#emitMark(segment, out);
    }
  }

  /** A source that comes later has the number that its mark was given. */
  #emitMark({ refs, bare }: Extract<TextSegment, { type: "mark" }>, out: ChatEvent[]): void {
    if (bare !== undefined && !refs.some((ref) => this.#sources.has(ref))) {
      out.push({ type: "text", text: bare });
      return;
    }
    const cited = refs.map((ref) => this.#sources.cite(ref)).filter((index) => index !== undefined);
    if (cited.length > 0) out.push({ type: "citation", sources: cited });
  }
}

/** The events that come from the text of a block. */
const textEvents = new Set<ChatEvent["type"]>(["text", "reasoning", "citation"]);

function rewrittenError(): GatewayError {
  return new GatewayError(
    "upstream_protocol",
    "Kimi replaced a part of its answer that had been sent on already, so what was sent is not its answer. Send the message again.",
    { upstreamCode: "answer_rewritten" },
  );
}

export function endlessTextError(): GatewayError {
  return new GatewayError(
    "upstream_protocol",
    `Kimi's answer is longer than ${limits.answerText} characters.`,
  );
}
