import { deltasOf, type ProtocolName } from "../answers/answer.js";
import { protocols } from "../answers/protocols.js";
import { wordAt, wordsOf } from "../answers/words.js";
import { type Dialect, dialects, Json } from "./dialects.js";
import type { Reading } from "./work.js";

/** Checks one answer as its bytes arrive. Throws at the first that is wrong. */
export interface AnswerCheck {
  /** Deltas that are there so far. */
  readonly deltas: number;
  push(chunk: Buffer, start: number, end: number): void;
  /** The answer has ended; throws if it should not have. */
  end(): void;
}

export function checkFor(reading: Reading, number: number, deltas: number): AnswerCheck {
  switch (reading.kind) {
    case "verbatim":
      return new BytesCheck(verbatim(reading.protocol, number, deltas));
    case "chunks":
      return new ChunksCheck(deltas);
    case "events":
      return new EventsCheck(dialects[reading.dialect], deltas);
    case "whole":
      return new WholeCheck(dialects[reading.dialect], deltas);
  }
}

/** The bytes of a whole answer; delta `i` is complete after `ends[i] + shift + i * stride` of them. */
type Expected = { bytes: Buffer; ends: Uint32Array; shift: number; stride: number };

/** The answer must be these bytes. */
class BytesCheck implements AnswerCheck {
  readonly #expected: Expected;
  #at = 0;
  deltas = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
  }

  push(chunk: Buffer, start: number, end: number): void {
    const { bytes, ends, shift, stride } = this.#expected;
    const after = this.#at + end - start;
    if (after > bytes.length || bytes.compare(chunk, start, end, this.#at, after) !== 0) {
      throw new Error(`wrong bytes after ${this.#at}: ${chunk.toString("utf8", start, start + 300)}`);
    }
    this.#at = after;
    while (this.deltas < ends.length && (ends[this.deltas] ?? 0) + shift + this.deltas * stride <= after)
      this.deltas++;
  }

  end(): void {
    if (this.#at !== this.#expected.bytes.length) throw new Error(`ended after ${this.#at} bytes`);
  }
}

/** The answer must be chat completion chunks that differ in nothing but their delta. */
class ChunksCheck implements AnswerCheck {
  readonly #count: number;
  #first = Buffer.alloc(0);
  #rest: BytesCheck | undefined;

  constructor(count: number) {
    this.#count = count;
  }

  get deltas(): number {
    return this.#rest?.deltas ?? 0;
  }

  push(chunk: Buffer, start: number, end: number): void {
    if (this.#rest) {
      this.#rest.push(chunk, start, end);
      return;
    }
    this.#first = Buffer.concat([this.#first, chunk.subarray(start, end)]);
    const at = this.#first.indexOf("\n\n");
    if (at === -1) return;
    this.#rest = new BytesCheck(chunks(this.#first.toString("utf8", 0, at + 2), this.#count));
    this.#rest.push(this.#first, 0, this.#first.length);
  }

  end(): void {
    if (!this.#rest) throw new Error("ended before the first chunk");
    this.#rest.end();
  }
}

/** The answer must be events that add up to the text. */
class EventsCheck implements AnswerCheck {
  readonly #dialect: Dialect;
  readonly #text: string;
  readonly #count: number;
  #rest = Buffer.alloc(0);
  #said = "";
  #reached = 0;
  #ended = false;
  deltas = 0;

  constructor(dialect: Dialect, count: number) {
    this.#dialect = dialect;
    this.#count = count;
    this.#text = wordsOf(count);
  }

  push(chunk: Buffer, start: number, end: number): void {
    const bytes = Buffer.concat([this.#rest, chunk.subarray(start, end)]);
    const whole = bytes.lastIndexOf("\n\n");
    this.#rest = bytes.subarray(whole === -1 ? 0 : whole + 2);
    if (whole === -1) return;
    for (const event of bytes.toString("utf8", 0, whole).split("\n\n")) this.#hear(event);
    while (this.deltas < this.#count && this.#reached + wordAt(this.deltas).length <= this.#said.length) {
      this.#reached += wordAt(this.deltas).length;
      this.deltas++;
    }
  }

  end(): void {
    if (this.#said !== this.#text) throw new Error(`wrong text: ${this.#said.slice(0, 200)}`);
    if (!this.#ended || this.#rest.length > 0) throw new Error("ended without its end");
  }

  #hear(event: string): void {
    const data = /^data: (.*)$/m.exec(event)?.[1];
    if (data === undefined) return;
    const parsed = new Json(data === "[DONE]" ? undefined : JSON.parse(data));
    this.#said += this.#dialect.pieceOf(parsed);
    this.#ended ||= this.#dialect.isEnd(data, parsed);
  }
}

/** The answer must be one JSON object with the text in it. */
class WholeCheck implements AnswerCheck {
  readonly #dialect: Dialect;
  readonly #count: number;
  #body = "";
  deltas = 0;

  constructor(dialect: Dialect, count: number) {
    this.#dialect = dialect;
    this.#count = count;
  }

  push(chunk: Buffer, start: number, end: number): void {
    this.#body += chunk.toString("latin1", start, end);
  }

  end(): void {
    const answer: unknown = JSON.parse(Buffer.from(this.#body, "latin1").toString("utf8"));
    const text = this.#dialect.textOf(new Json(answer));
    if (text !== wordsOf(this.#count)) throw new Error(`wrong text: ${text.slice(0, 200)}`);
    this.deltas = this.#count;
  }
}

/** The upstream's own bytes. */
function verbatim(name: ProtocolName, number: number, count: number): Expected {
  const protocol = protocols[name];
  const { each, all } = deltasOf(protocol, count);
  const opening = protocol.opening(number);
  const bytes = Buffer.concat([opening, all, protocol.closing(number)]);
  const ends = once(`${name} ${count}`, () => ({ words: [], ends: endsOf(each) })).ends;
  return { bytes, ends, shift: opening.length, stride: 0 };
}

/** The whole stream that begins with this chunk. */
function chunks(first: string, count: number): Expected {
  const [prefix = "", suffix = ""] = first.split('{"role":"assistant","content":""}', 2);
  if (!prefix.startsWith("data: {") || !/"finish_reason":null.*\}\n\n$/.test(suffix)) {
    throw new Error(`not a first chunk: ${first.slice(0, 300)}`);
  }
  JSON.parse(first.slice("data: ".length));
  const { words, ends } = once(`words ${count}`, () => {
    const made = Array.from({ length: count }, (_, index) => JSON.stringify({ content: wordAt(index) }));
    return { words: made, ends: endsOf(made.map((word) => Buffer.from(word))) };
  });
  const finish = suffix.replace('"finish_reason":null', '"finish_reason":"stop"');
  const said = prefix + words.join(suffix + prefix) + suffix;
  const bytes = Buffer.from(`${first}${said}${prefix}{}${finish}data: [DONE]\n\n`);
  const stride = Buffer.byteLength(prefix) + Buffer.byteLength(suffix);
  return { bytes, ends, shift: Buffer.byteLength(first) + stride, stride };
}

type Prepared = { words: readonly string[]; ends: Uint32Array };

const prepared = new Map<string, Prepared>();

/** What is the same in all answers of a kind is made with the first. */
function once(kind: string, make: () => Prepared): Prepared {
  const known = prepared.get(kind) ?? make();
  prepared.set(kind, known);
  return known;
}

/** Where each piece ends when they stand one behind the other. */
function endsOf(pieces: readonly Buffer[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(pieces, ({ length }) => {
    end += length;
    return end;
  });
}
