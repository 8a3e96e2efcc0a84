import type { Frame } from "./envelope.js";
import type { Voice } from "./text-blocks.js";

/** A frame that extends a block by words, here without any that need unescaping: kimi-web.md §2.5. */
const extending =
  /^(\{"op":"append","mask":"block\.(?:text|think)\.content","eventOffset":)\d+(,"block":\{"id":"([^"\\]+)",(?:"parentId":"[^"\\]*",)?"(text|think)":\{"content":")[^"\\]*("\}\}\})$/;

const [zero, nine, space, quote, backslash] = [0x30, 0x39, 0x20, 0x22, 0x5c];

/**
 * Reads a frame that says the same as an earlier one but for its number and its words. Almost all frames of an answer
 * do, and to parse the JSON of each would take a third of all that is done to a delta.
 */
export class NextWords {
  /** The earlier frame without its number and its words: what stands before, between and behind them. */
  #model = Buffer.alloc(0);
  #headLength = 0;
  #tailLength = 0;
  /** The block that is extended. */
  block = "";
  voice: Voice = "text";

  /** Takes a frame that was parsed, if it is of this kind, as the one that others are compared with. */
  learn(payload: string): void {
    const [, head, middle, block, voice, tail] = extending.exec(payload) ?? [];
    if (!head || !middle || !block || !tail) return;
    this.#model = Buffer.from(head + middle + tail);
    this.#headLength = head.length;
    this.#tailLength = tail.length;
    this.block = block;
    this.voice = voice === "think" ? "think" : "text";
  }

  /** The words of this frame; undefined where it has to be parsed. */
  read({ bytes, start, end }: Frame): string | undefined {
    const model = this.#model;
    const headLength = this.#headLength;
    const tailAt = model.length - this.#tailLength;
    const wordsEnd = end - this.#tailLength;
    if (headLength === 0 || !isSame(model, 0, headLength, bytes, start)) return undefined;
    const numberAt = start + headLength;
    let at = numberAt;
    while (isDigit(bytes[at])) at++;
    if (at === numberAt || !isSame(model, headLength, tailAt, bytes, at)) return undefined;
    const wordsAt = at + tailAt - headLength;
    if (wordsAt > wordsEnd || !isSame(model, tailAt, model.length, bytes, wordsEnd)) return undefined;
    let isEscaped = false;
    for (at = wordsAt; at < wordsEnd; at++) {
      if (isPlain(bytes[at])) continue;
      if (bytes[at] !== backslash) return undefined;
      isEscaped = true;
      at++;
    }
    // The last quote is an escaped one.
    if (at > wordsEnd) return undefined;
    const words = bytes.toString("utf8", wordsAt, wordsEnd);
    return isEscaped ? unescaped(words) : words;
  }
}

/** Whether a part of the model stands there. Compared here, since to ask for it costs more than it takes. */
function isSame(model: Buffer, from: number, to: number, bytes: Buffer, at: number): boolean {
  for (let i = from; i < to; i++) if (bytes[at + i - from] !== model[i]) return false;
  return true;
}

/** What stands between the quotes of a JSON string; undefined if it cannot. */
function unescaped(words: string): string | undefined {
  try {
    const string: unknown = JSON.parse(`"${words}"`);
    return typeof string === "string" ? string : undefined;
  } catch {
    return undefined;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}

/** A byte that means itself inside a JSON string. */
function isPlain(byte: number | undefined): boolean {
  return byte !== undefined && byte >= space && byte !== quote && byte !== backslash;
}
