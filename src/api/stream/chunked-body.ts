/** What a response is to send, in the making. */
export type Body = {
  /** Adds text, and bytes that stand before and behind it. They leave together. */
  add(text: string, before?: Buffer, behind?: Buffer): void;
};

/** Bytes that chunks are made in, one behind the other. A client that takes nothing holds on to no more than one. */
const roomSize = 16_384;
let room = Buffer.allocUnsafeSlow(roomSize);
let used = 0;

const lineEnd = Buffer.from("\r\n");
/** Up to four digits and a line's end stand in front of a chunk, a line's end behind it. */
const [ahead, after] = [4 + lineEnd.length, lineEnd.length];
/** The content that fits into a room of its own. */
const largest = roomSize - ahead - after;
const digits = Buffer.from("0123456789abcdef");
const nothing = Buffer.alloc(0);

/** Makes chunks in place: as one long string all would be copied to be measured, and once more to become bytes. */
class ChunkedBody implements Body {
  #chunks: Buffer[] = [];
  /** Where the content of the chunk in the making begins and ends. */
  #start = 0;
  #end = 0;

  begin(): void {
    this.#chunks = [];
    this.#open();
  }

  add(text: string, before = nothing, behind = nothing): void {
    // A character of a string takes three bytes at most.
    const most = before.length + 3 * text.length + behind.length;
    if (most > largest) {
      this.#addAlone(Buffer.concat([before, Buffer.from(text), behind]));
      return;
    }
    if (this.#end + most + after > roomSize) this.#takeNewRoom();
    room.set(before, this.#end);
    this.#end += before.length;
    this.#end += room.write(text, this.#end);
    room.set(behind, this.#end);
    this.#end += behind.length;
  }

  take(): Buffer[] {
    this.#close();
    return this.#chunks;
  }

  #open(): void {
    this.#start = used + ahead;
    this.#end = this.#start;
  }

  #close(): void {
    if (this.#end === this.#start) return;
    let from = this.#start - lineEnd.length;
    for (let rest = this.#end - this.#start; rest > 0; rest >>= 4) room[--from] = digits[rest & 15] ?? 0;
    room.set(lineEnd, this.#start - lineEnd.length);
    room.set(lineEnd, this.#end);
    used = this.#end + after;
    this.#chunks.push(room.subarray(from, used));
    this.#open();
  }

  #takeNewRoom(): void {
    this.#close();
    room = Buffer.allocUnsafeSlow(roomSize);
    used = 0;
    this.#open();
  }

  #addAlone(content: Buffer): void {
    this.#close();
    this.#chunks.push(Buffer.concat([Buffer.from(content.length.toString(16)), lineEnd, content, lineEnd]));
  }
}

const body = new ChunkedBody();

/** What `fill` adds, as chunks of a body (RFC 9112 §7.1); none where it adds nothing. Adding is all that it may do. */
export function chunksOf(fill: (body: Body) => void): Buffer[] {
  body.begin();
  fill(body);
  return body.take();
}

/** What chunks hold, for a response that frames its body itself, or not at all. */
export function contentOf(chunks: readonly Buffer[]): Buffer {
  return Buffer.concat(
    chunks.map((chunk) => chunk.subarray(chunk.indexOf(lineEnd) + lineEnd.length, -lineEnd.length)),
  );
}
