import type { Envelope } from "./envelope.js";
import type { TextChannel } from "./text-blocks.js";

/** An `append` of text without JSON escapes to a text block (kimi-web.md §2.5). */
const appendPattern =
  /^(\{"op":"append","mask":"block\.(?:text|think)\.content","eventOffset":)\d+(,"block":\{"id":"([^"\\]+)",(?:"parentId":"[^"\\]*",)?"(text|think)":\{"content":")[^"\\]*("\}\}\})$/;

const [zero, nine, space, quote, backslash] = [0x30, 0x39, 0x20, 0x22, 0x5c];

/**
 * Reads a delta without parsing its JSON, if its bytes equal those of an earlier one except for the offset and the
 * text. Almost all envelopes of an answer do: 0.4 µs instead of 3.3, and 0.82 to 0.97 × the CPU per delta
 * at 100 paced streams (performance.md).
 */
export class DeltaFastPath {
  /** The bytes of the earlier delta before, between and after its offset and its text. */
  #template = Buffer.alloc(0);
  #headLength = 0;
  #tailLength = 0;
  /** The id of the block that the delta extends. */
  blockId = "";
  channel: TextChannel = "text";

  /** Makes the payload of a parsed envelope the template for `match`, if it appends text to a block. */
  setTemplate(payload: string): void {
    const [, head, middle, blockId, channel, tail] = appendPattern.exec(payload) ?? [];
    if (!head || !middle || !blockId || !tail) return;
    this.#template = Buffer.from(head + middle + tail);
    this.#headLength = head.length;
    this.#tailLength = tail.length;
    this.blockId = blockId;
    this.channel = channel === "think" ? "think" : "text";
  }

  /** The text of this delta; undefined if its JSON must be parsed. */
  match({ bytes, start, end }: Envelope): string | undefined {
    const template = this.#template;
    const headLength = this.#headLength;
    const tailStart = template.length - this.#tailLength;
    const textEnd = end - this.#tailLength;
    if (headLength === 0 || !isEqualRange(template, 0, headLength, bytes, start)) return undefined;
    const numberStart = start + headLength;
    let position = numberStart;
    while (isDigit(bytes[position])) position++;
    if (position === numberStart || !isEqualRange(template, headLength, tailStart, bytes, position))
      return undefined;
    const textStart = position + tailStart - headLength;
    if (textStart > textEnd || !isEqualRange(template, tailStart, template.length, bytes, textEnd))
      return undefined;
    let isEscaped = false;
    for (position = textStart; position < textEnd; position++) {
      if (isUnescapedByte(bytes[position])) continue;
      if (bytes[position] !== backslash) return undefined;
      isEscaped = true;
      position++;
    }
    // The closing quote is an escaped one.
    if (position > textEnd) return undefined;
    const text = bytes.toString("utf8", textStart, textEnd);
    return isEscaped ? unescapeJson(text) : text;
  }
}

/** Whether `bytes` hold this range of the template. A loop: at this length a native call costs more. */
function isEqualRange(template: Buffer, from: number, to: number, bytes: Buffer, position: number): boolean {
  for (let i = from; i < to; i++) if (bytes[position + i - from] !== template[i]) return false;
  return true;
}

/** The value of a JSON string without its quotes; undefined if it is malformed. */
function unescapeJson(escaped: string): string | undefined {
  try {
    const string: unknown = JSON.parse(`"${escaped}"`);
    return typeof string === "string" ? string : undefined;
  } catch {
    return undefined;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}

/** A byte that stands for itself inside a JSON string. */
function isUnescapedByte(byte: number | undefined): boolean {
  return byte !== undefined && byte >= space && byte !== quote && byte !== backslash;
}
