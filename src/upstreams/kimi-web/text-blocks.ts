import { GatewayError } from "../../core/errors.js";
import { limits } from "../../core/limits.js";
import type { ChatEvent } from "../../core/types.js";
import type { Drift } from "../../observability/protocol-drift.js";
import type { Sources } from "../kimi-shared/search-sources.js";
import { MarkReader, type Piece } from "./citation-marks.js";

/** The kinds of block whose text is part of the answer. */
export type Voice = "text" | "think";

/** What a block has said, as much of it as tells whether a `set` begins with it: to keep the words would cost more. */
class Said {
  length = 0;
  #fingerprint = fingerprint("", 0);

  add(piece: string): void {
    this.#fingerprint = fingerprint(piece, piece.length, this.#fingerprint);
    this.length += piece.length;
  }

  isBeginOf(content: string): boolean {
    return content.length >= this.length && fingerprint(content, this.length) === this.#fingerprint;
  }
}

/** FNV-1a over the first characters of a text, and over what came before it. */
function fingerprint(text: string, length: number, before = 0x811c9dc5): number {
  let print = before;
  for (let at = 0; at < length; at++) print = Math.imul(print ^ text.charCodeAt(at), 0x01000193);
  return print;
}

/** What the blocks of one answer have said so far: keyed by block id, extended by `append`, replaced by `set`. */
export class Spoken {
  readonly #drift: Drift;
  readonly #sources: Sources;
  readonly #blocks = new Map<string, Said>();
  readonly #heard = { text: false, think: false };
  readonly #marks = new MarkReader();
  /** The block that spoke last, and what it has said. */
  #speaking: string | undefined;
  #said = new Said();
  #length = 0;

  constructor(drift: Drift, sources: Sources) {
    this.#drift = drift;
    this.#sources = sources;
  }

  /** In characters, over all blocks. */
  get length(): number {
    return this.#length;
  }

  /** Takes in one `set` or `append` of a block's content and emits what is new in it. */
  hear(id: string, voice: Voice, content: unknown, op: unknown, out: ChatEvent[]): void {
    const piece = typeof content === "string" ? content : "";
    if (op !== "set") {
      this.say(id, voice, piece, out);
      return;
    }
    const before = this.#blocks.get(id) ?? new Said();
    // A `set` that continues what was said is a snapshot; one that does not takes back what has left already.
    if (before.isBeginOf(piece)) this.say(id, voice, piece.slice(before.length), out);
    else if (piece !== "") this.#rewrite(id, voice, piece, out);
  }

  /** Emits what a citation mark that never closed was holding back. */
  flush(out: ChatEvent[]): void {
    this.#tell(this.#marks.flush(), out);
  }

  /** Takes in what a block says beyond what it has said, and emits it. */
  say(id: string, voice: Voice, piece: string, out: ChatEvent[]): void {
    if (piece === "") return;
    this.#length += piece.length;
    if (this.#length > limits.answerText) {
      throw new GatewayError(
        "upstream_protocol",
        `Kimi's answer is longer than ${limits.answerText} characters.`,
      );
    }
    const text = this.#speaking === id ? piece : this.#begin(id, voice, out) + piece;
    this.#said.add(piece);
    if (voice === "think") out.push({ type: "reasoning", text });
    else if (this.#marks.isFree(text)) out.push({ type: "text", text });
    else this.#tell(this.#marks.push(text), out);
  }

  /** Another block speaks now. What stands in front of its words: Kimi shows each block as a paragraph of its own. */
  #begin(id: string, voice: Voice, out: ChatEvent[]): string {
    this.flush(out);
    this.#speaking = id;
    const before = this.#blocks.get(id);
    this.#said = before ?? new Said();
    this.#blocks.set(id, this.#said);
    const paragraph = !before && this.#heard[voice] ? "\n\n" : "";
    this.#heard[voice] = true;
    return paragraph;
  }

  #rewrite(id: string, voice: Voice, content: string, out: ChatEvent[]): void {
    this.#drift.note("rewrite", voice);
    const said = new Said();
    said.add(content);
    this.#blocks.set(id, said);
    if (this.#speaking === id) this.#said = said;
    out.push({
      type: "notice",
      code: "answer_rewritten",
      message: "Kimi rewrote a part of its answer after sending it; the text shown is the first version.",
    });
  }

  #tell(pieces: readonly Piece[], out: ChatEvent[]): void {
    for (const piece of pieces) {
      if (piece.type === "text") {
        out.push(piece);
        continue;
      }
      const cited = piece.refs.map((ref) => this.#sources.find(ref)).filter((index) => index !== undefined);
      if (cited.length < piece.refs.length) this.#drift.note("citation", "unknown-reference");
      if (cited.length > 0) out.push({ type: "citation", sources: cited });
    }
  }
}
