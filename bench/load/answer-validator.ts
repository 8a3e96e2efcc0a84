import { answerText, deltaText } from "../answers/answer-text.js";
import { encodedDeltas, type ProtocolName } from "../answers/protocol.js";
import { protocols } from "../answers/protocols.js";
import { type Dialect, dialects, JsonReader } from "./dialects.js";
import type { ResponseFormat } from "./load-profile.js";

/** Validates one answer as its bytes arrive. `push` throws at the first wrong byte. */
export interface AnswerValidator {
  /** The number of complete deltas so far. */
  readonly deltas: number;
  push(chunk: Buffer, start: number, end: number): void;
  /** The response has ended; throws if the answer is incomplete. */
  end(): void;
}

export function createValidator(
  format: ResponseFormat,
  answerNumber: number,
  deltas: number,
): AnswerValidator {
  switch (format.kind) {
    case "verbatim":
      return new BytesValidator(expectVerbatim(format.protocol, answerNumber, deltas));
    case "chat-chunks":
      return new ChatChunksValidator(deltas);
    case "events":
      return new EventsValidator(dialects[format.dialect], deltas);
    case "json":
      return new JsonValidator(dialects[format.dialect], deltas);
  }
}

/** The bytes of a whole answer. Delta `i` is complete after `ends[i] + shift + i * stride` bytes. */
type Expected = { bytes: Buffer; ends: Uint32Array; shift: number; stride: number };

/** The answer must consist of exactly these bytes. */
class BytesValidator implements AnswerValidator {
  readonly #expected: Expected;
  #position = 0;
  deltas = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
  }

  push(chunk: Buffer, start: number, end: number): void {
    const { bytes, ends, shift, stride } = this.#expected;
    const positionAfter = this.#position + end - start;
    if (
      positionAfter > bytes.length ||
      bytes.compare(chunk, start, end, this.#position, positionAfter) !== 0
    ) {
      throw new Error(`wrong bytes after ${this.#position}: ${chunk.toString("utf8", start, start + 300)}`);
    }
    this.#position = positionAfter;
    while (
      this.deltas < ends.length &&
      (ends[this.deltas] ?? 0) + shift + this.deltas * stride <= positionAfter
    )
      this.deltas++;
  }

  end(): void {
    if (this.#position !== this.#expected.bytes.length)
      throw new Error(`ended after ${this.#position} bytes`);
  }
}

/** The answer must be chat completion chunks that differ only in their delta. */
class ChatChunksValidator implements AnswerValidator {
  readonly #expectedDeltas: number;
  #firstChunk = Buffer.alloc(0);
  #bytesValidator: BytesValidator | undefined;

  constructor(expectedDeltas: number) {
    this.#expectedDeltas = expectedDeltas;
  }

  get deltas(): number {
    return this.#bytesValidator?.deltas ?? 0;
  }

  push(chunk: Buffer, start: number, end: number): void {
    if (this.#bytesValidator) {
      this.#bytesValidator.push(chunk, start, end);
      return;
    }
    this.#firstChunk = Buffer.concat([this.#firstChunk, chunk.subarray(start, end)]);
    const chunkEnd = this.#firstChunk.indexOf("\n\n");
    if (chunkEnd === -1) return;
    this.#bytesValidator = new BytesValidator(
      expectChatChunks(this.#firstChunk.toString("utf8", 0, chunkEnd + 2), this.#expectedDeltas),
    );
    this.#bytesValidator.push(this.#firstChunk, 0, this.#firstChunk.length);
  }

  end(): void {
    if (!this.#bytesValidator) throw new Error("ended before the first chunk");
    this.#bytesValidator.end();
  }
}

/** The answer must be server-sent events of a dialect whose texts add up to the expected text. */
class EventsValidator implements AnswerValidator {
  readonly #dialect: Dialect;
  readonly #expectedText: string;
  readonly #expectedDeltas: number;
  #incompleteEvent = Buffer.alloc(0);
  #receivedText = "";
  #countedLength = 0;
  #hasEnded = false;
  deltas = 0;

  constructor(dialect: Dialect, expectedDeltas: number) {
    this.#dialect = dialect;
    this.#expectedDeltas = expectedDeltas;
    this.#expectedText = answerText(expectedDeltas);
  }

  push(chunk: Buffer, start: number, end: number): void {
    const bytes = Buffer.concat([this.#incompleteEvent, chunk.subarray(start, end)]);
    const lastEventEnd = bytes.lastIndexOf("\n\n");
    this.#incompleteEvent = bytes.subarray(lastEventEnd === -1 ? 0 : lastEventEnd + 2);
    if (lastEventEnd === -1) return;
    for (const event of bytes.toString("utf8", 0, lastEventEnd).split("\n\n")) this.#onEvent(event);
    while (
      this.deltas < this.#expectedDeltas &&
      this.#countedLength + deltaText(this.deltas).length <= this.#receivedText.length
    ) {
      this.#countedLength += deltaText(this.deltas).length;
      this.deltas++;
    }
  }

  end(): void {
    if (this.#receivedText !== this.#expectedText)
      throw new Error(`wrong text: ${this.#receivedText.slice(0, 200)}`);
    if (!this.#hasEnded || this.#incompleteEvent.length > 0) throw new Error("ended without its end");
  }

  #onEvent(event: string): void {
    const data = /^data: (.*)$/m.exec(event)?.[1];
    if (data === undefined) return;
    const parsed = new JsonReader(data === "[DONE]" ? undefined : JSON.parse(data));
    this.#receivedText += this.#dialect.eventText(parsed);
    this.#hasEnded ||= this.#dialect.isLastEvent(data, parsed);
  }
}

/** The answer must be one JSON object that contains the expected text. */
class JsonValidator implements AnswerValidator {
  readonly #dialect: Dialect;
  readonly #expectedDeltas: number;
  #body = "";
  deltas = 0;

  constructor(dialect: Dialect, expectedDeltas: number) {
    this.#dialect = dialect;
    this.#expectedDeltas = expectedDeltas;
  }

  push(chunk: Buffer, start: number, end: number): void {
    this.#body += chunk.toString("latin1", start, end);
  }

  end(): void {
    const body: unknown = JSON.parse(Buffer.from(this.#body, "latin1").toString("utf8"));
    const text = this.#dialect.responseText(new JsonReader(body));
    if (text !== answerText(this.#expectedDeltas)) throw new Error(`wrong text: ${text.slice(0, 200)}`);
    this.deltas = this.#expectedDeltas;
  }
}

/** The bytes of the upstream, unchanged. */
function expectVerbatim(name: ProtocolName, answerNumber: number, count: number): Expected {
  const protocol = protocols[name];
  const { pieces, concatenated } = encodedDeltas(protocol, count);
  const opening = protocol.opening(answerNumber);
  const bytes = Buffer.concat([opening, concatenated, protocol.closing(answerNumber)]);
  const ends = prepareOnce(`${name} ${count}`, () => ({ deltas: [], ends: endOffsets(pieces) })).ends;
  return { bytes, ends, shift: opening.length, stride: 0 };
}

/** The whole stream that begins with this chunk; its other chunks repeat what the first has around its delta. */
function expectChatChunks(first: string, count: number): Expected {
  const [prefix = "", suffix = ""] = first.split('{"role":"assistant","content":""}', 2);
  if (!prefix.startsWith("data: {") || !/"finish_reason":null.*\}\n\n$/.test(suffix)) {
    throw new Error(`not a first chunk: ${first.slice(0, 300)}`);
  }
  JSON.parse(first.slice("data: ".length));
  const { deltas, ends } = prepareOnce(`chat-chunks ${count}`, () => {
    const encoded = Array.from({ length: count }, (_, index) =>
      JSON.stringify({ content: deltaText(index) }),
    );
    return { deltas: encoded, ends: endOffsets(encoded.map((delta) => Buffer.from(delta))) };
  });
  const finishSuffix = suffix.replace('"finish_reason":null', '"finish_reason":"stop"');
  const contentChunks = prefix + deltas.join(suffix + prefix) + suffix;
  const bytes = Buffer.from(`${first}${contentChunks}${prefix}{}${finishSuffix}data: [DONE]\n\n`);
  const stride = Buffer.byteLength(prefix) + Buffer.byteLength(suffix);
  return { bytes, ends, shift: Buffer.byteLength(first) + stride, stride };
}

type PreparedAnswer = { deltas: readonly string[]; ends: Uint32Array };

const preparedAnswers = new Map<string, PreparedAnswer>();

/** Prepares what all answers of a kind have in common, with the first of them. */
function prepareOnce(kind: string, prepare: () => PreparedAnswer): PreparedAnswer {
  const prepared = preparedAnswers.get(kind) ?? prepare();
  preparedAnswers.set(kind, prepared);
  return prepared;
}

/** The end offset of each piece in their concatenation. */
function endOffsets(pieces: readonly Buffer[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(pieces, ({ length }) => {
    end += length;
    return end;
  });
}
