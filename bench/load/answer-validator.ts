import { answerText, deltaText } from "../answers/answer-text.js";
import { encodedDeltas, type ProtocolName } from "../answers/protocol.js";
import { protocols } from "../answers/protocols.js";
import { type Dialect, dialects, JsonReader } from "./dialects.js";
import type { ResponseFormat } from "./load-profile.js";

/** Validates one answer as its bytes arrive. */
export interface AnswerValidator {
  /** The number of complete deltas so far. */
  readonly deltas: number;
  /** Takes the bytes of `chunk` from `start` to `end`. Throws if they are not what was expected. */
  push(chunk: Buffer, start: number, end: number): void;
  /** Is called at the end of the response. Throws if the answer is incomplete. */
  end(): void;
}

/** A validator for the answer with this number, of `deltas` deltas, in this format. */
export function createValidator(
  format: ResponseFormat,
  answerNumber: number,
  deltas: number,
): AnswerValidator {
  switch (format.kind) {
    case "verbatim":
      return new BytesValidator(expectedVerbatim(format.protocol, answerNumber, deltas));
    case "chat-chunks":
      return new ChatChunksValidator(deltas);
    case "events":
      return new EventsValidator(dialects[format.dialect], deltas);
    case "json":
      return new JsonValidator(dialects[format.dialect], deltas);
  }
}

/**
 * The bytes of a whole answer. Delta `i` ends at the offset `deltaEnds[i] + baseOffset + i * offsetPerDelta`. `deltaEnds` is
 * the same for all answers of a kind; the other two depend on the bytes before the deltas and around each of them.
 */
type ExpectedBytes = { bytes: Buffer; deltaEnds: Uint32Array; baseOffset: number; offsetPerDelta: number };

/** The answer must consist of exactly these bytes. */
class BytesValidator implements AnswerValidator {
  readonly #expected: ExpectedBytes;
  #position = 0;
  deltas = 0;

  constructor(expected: ExpectedBytes) {
    this.#expected = expected;
  }

  push(chunk: Buffer, start: number, end: number): void {
    const { bytes, deltaEnds, baseOffset, offsetPerDelta } = this.#expected;
    const positionAfter = this.#position + end - start;
    if (
      positionAfter > bytes.length ||
      bytes.compare(chunk, start, end, this.#position, positionAfter) !== 0
    ) {
      throw new Error(`wrong bytes after ${this.#position}: ${chunk.toString("utf8", start, start + 300)}`);
    }
    this.#position = positionAfter;
    while (
      this.deltas < deltaEnds.length &&
      (deltaEnds[this.deltas] ?? 0) + baseOffset + this.deltas * offsetPerDelta <= positionAfter
    )
      this.deltas++;
  }

  end(): void {
    if (this.#position !== this.#expected.bytes.length)
      throw new Error(`ended after ${this.#position} bytes`);
  }
}

/** The answer must be chat completion chunks that differ only in their delta and finish reason. */
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
      expectedChatChunks(this.#firstChunk.toString("utf8", 0, chunkEnd + 2), this.#expectedDeltas),
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

/** The answer as the upstream sends it. */
function expectedVerbatim(name: ProtocolName, answerNumber: number, count: number): ExpectedBytes {
  const protocol = protocols[name];
  const { buffers, concatenated } = encodedDeltas(protocol, count);
  const opening = protocol.opening(answerNumber);
  const bytes = Buffer.concat([opening, concatenated, protocol.closing(answerNumber)]);
  const deltaEnds = cachedSharedParts(`${name} ${count}`, () => ({
    deltaJson: [],
    deltaEnds: endOffsets(buffers),
  })).deltaEnds;
  return { bytes, deltaEnds, baseOffset: opening.length, offsetPerDelta: 0 };
}

/** The stream that begins with `firstChunk`; the JSON around the delta is the same in all its chunks. */
function expectedChatChunks(firstChunk: string, count: number): ExpectedBytes {
  const [prefix = "", suffix = ""] = firstChunk.split('{"role":"assistant","content":""}', 2);
  if (!prefix.startsWith("data: {") || !/"finish_reason":null.*\}\n\n$/.test(suffix)) {
    throw new Error(`not a first chunk: ${firstChunk.slice(0, 300)}`);
  }
  JSON.parse(firstChunk.slice("data: ".length));
  const { deltaJson, deltaEnds } = cachedSharedParts(`chat-chunks ${count}`, () => {
    const deltaJson = Array.from({ length: count }, (_, index) =>
      JSON.stringify({ content: deltaText(index) }),
    );
    return { deltaJson, deltaEnds: endOffsets(deltaJson.map((delta) => Buffer.from(delta))) };
  });
  const finishSuffix = suffix.replace('"finish_reason":null', '"finish_reason":"stop"');
  const contentChunks = prefix + deltaJson.join(suffix + prefix) + suffix;
  const bytes = Buffer.from(`${firstChunk}${contentChunks}${prefix}{}${finishSuffix}data: [DONE]\n\n`);
  const offsetPerDelta = Buffer.byteLength(prefix) + Buffer.byteLength(suffix);
  return {
    bytes,
    deltaEnds,
    baseOffset: Buffer.byteLength(firstChunk) + offsetPerDelta,
    offsetPerDelta,
  };
}

/** What all answers of a kind have in common: the JSON of each delta, and the offset of its end in all of them joined. */
type SharedParts = { deltaJson: readonly string[]; deltaEnds: Uint32Array };

const sharedPartsCache = new Map<string, SharedParts>();

/** The shared parts of this kind of answer, which are prepared for the first answer and cached. */
function cachedSharedParts(kind: string, prepare: () => SharedParts): SharedParts {
  const prepared = sharedPartsCache.get(kind) ?? prepare();
  sharedPartsCache.set(kind, prepared);
  return prepared;
}

/** The end offset of each buffer in their concatenation. */
function endOffsets(buffers: readonly Buffer[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(buffers, ({ length }) => {
    end += length;
    return end;
  });
}
