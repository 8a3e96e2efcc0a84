import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent } from "../../core/types.js";
import type { ProtocolDrift } from "../../observability/protocol-drift.js";
import type { SearchSources } from "../kimi-shared/search-sources.js";
import { CitationMarkParser, type TextSegment } from "./citation-marks.js";

/** The block kinds whose text is part of the answer, by Kimi's names: `think` becomes reasoning. */
export type TextChannel = "text" | "think";

/** Length and hash of a block's emitted text, to check whether a `set` begins with it. Saves keeping the text itself. */
class EmittedPrefix {
  length = 0;
  #hash = hashPrefix("", 0);

  append(text: string): void {
    this.#hash = hashPrefix(text, text.length, this.#hash);
    this.length += text.length;
  }

  isPrefixOf(content: string): boolean {
    return content.length >= this.length && hashPrefix(content, this.length) === this.#hash;
  }
}

/** FNV-1a over the first `length` characters of a text; `seed` is the hash of the text before it. */
function hashPrefix(text: string, length: number, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let index = 0; index < length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}

/**
 * The text blocks of one answer by block id, extended by `append` and replaced by `set` (kimi-web.md §2.5). Emits only
 * new text, without citation marks.
 */
export class TextBlocks {
  readonly #drift: ProtocolDrift;
  readonly #sources: SearchSources;
  readonly #blocks = new Map<string, EmittedPrefix>();
  readonly #hasText = { text: false, think: false };
  readonly #citationMarks = new CitationMarkParser();
  /** The block that was extended last, and its emitted text. */
  #currentBlock: string | undefined;
  #currentPrefix = new EmittedPrefix();
  #length = 0;

  constructor(drift: ProtocolDrift, sources: SearchSources) {
    this.#drift = drift;
    this.#sources = sources;
  }

  /** Emitted characters of all blocks. */
  get length(): number {
    return this.#length;
  }

  /** Applies one `set` or `append` of a block's content and emits its new text. */
  update(id: string, channel: TextChannel, content: unknown, op: unknown, out: ChatEvent[]): void {
    const text = typeof content === "string" ? content : "";
    if (op !== "set") {
      this.append(id, channel, text, out);
      return;
    }
    const emitted = this.#blocks.get(id) ?? new EmittedPrefix();
    // A `set` that begins with the emitted text is a snapshot; any other rewrites text that was sent to the client.
    if (emitted.isPrefixOf(text)) this.append(id, channel, text.slice(emitted.length), out);
    else if (text !== "") this.#recordRewrite(id, channel, text, out);
  }

  /** Emits the beginning of a citation mark that was never closed, as text. */
  flush(out: ChatEvent[]): void {
    this.#emitSegments(this.#citationMarks.flush(), out);
  }

  /** Emits text that extends a block. */
  append(id: string, channel: TextChannel, addition: string, out: ChatEvent[]): void {
    if (addition === "") return;
    this.#length += addition.length;
    if (this.#length > limits.answerText) {
      throw new GatewayError(
        "upstream_protocol",
        `Kimi's answer is longer than ${limits.answerText} characters.`,
      );
    }
    const text = this.#currentBlock === id ? addition : this.#startBlock(id, channel, out) + addition;
    this.#currentPrefix.append(addition);
    if (channel === "think") out.push({ type: "reasoning", text });
    else if (this.#citationMarks.isPlain(text)) out.push({ type: "text", text });
    else this.#emitSegments(this.#citationMarks.push(text), out);
  }

  /** Switches to another block. Returns the separator before its text: Kimi shows each block as its own paragraph. */
  #startBlock(id: string, channel: TextChannel, out: ChatEvent[]): string {
    this.flush(out);
    this.#currentBlock = id;
    const emitted = this.#blocks.get(id);
    this.#currentPrefix = emitted ?? new EmittedPrefix();
    this.#blocks.set(id, this.#currentPrefix);
    if (this.#blocks.size > limits.answerBlocks) {
      throw new GatewayError("upstream_protocol", "Kimi's answer has more blocks than any real one.");
    }
    const separator = !emitted && this.#hasText[channel] ? "\n\n" : "";
    this.#hasText[channel] = true;
    return separator;
  }

  #recordRewrite(id: string, channel: TextChannel, content: string, out: ChatEvent[]): void {
    this.#drift.record("rewrite", channel);
    const prefix = new EmittedPrefix();
    prefix.append(content);
    this.#blocks.set(id, prefix);
    if (this.#currentBlock === id) this.#currentPrefix = prefix;
    out.push({
      type: "notice",
      code: "answer_rewritten",
      message: "Kimi rewrote a part of its answer after sending it; the text shown is the first version.",
    });
  }

  #emitSegments(segments: readonly TextSegment[], out: ChatEvent[]): void {
    for (const segment of segments) {
      if (segment.type === "text") {
        out.push(segment);
        continue;
      }
      const cited = segment.refs
        .map((ref) => this.#sources.findIndex(ref))
        .filter((index) => index !== undefined);
      if (cited.length < segment.refs.length) this.#drift.record("citation", "unknown-reference");
      if (cited.length > 0) out.push({ type: "citation", sources: cited });
    }
  }
}
