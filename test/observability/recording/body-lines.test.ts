import fc from "fast-check";
import { expect, test } from "vitest";
import { envelope } from "../../../simulator/envelope.js";
import { readRecording } from "../../../simulator/recorded.js";
import { bodyLines } from "../../../src/observability/recording/body-lines.js";
import { withoutWords } from "../../../src/observability/recording/masked-text.js";
import { StandIns } from "../../../src/observability/recording/pseudonyms.js";
import { Redactor } from "../../../src/observability/recording/redactor.js";

/** What a replay sends for a body that came so. */
function replayed(body: Buffer, type: string, texts: boolean): Buffer {
  const lines = [
    { recording: 1, method: "GET", path: "/", headers: {} },
    { status: 200, headers: {} },
    ...bodyLines(body, type, new Redactor(new StandIns(), texts)),
    { end: "complete" },
  ];
  const recorded = readRecording(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  if (!recorded) throw new Error("the reader does not understand the writer");
  return Buffer.concat(recorded.answer.body);
}

const text = fc.string({
  unit: fc.constantFrom(...'ab:{" \r\n\u2028é天\u0000'.split(""), "data: ", "\n\n", "😀"),
});
const payload = fc.oneof(
  text.map((content) => `no JSON: ${content}`),
  text.map((content) => JSON.stringify({ op: "append", block: { id: "1", text: { content } } })),
);
const frame = fc.record({ payload, flags: fc.constantFrom(0, 2, 4) });

test("a stream of frames is the same again, wherever it was cut", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), fc.nat(400), (frames, cut) => {
      const whole = Buffer.concat(frames.map(({ payload, flags }) => envelope(payload, flags)));
      expect(replayed(whole, "application/connect+json", true)).toEqual(whole);
      const part = whole.subarray(0, cut);
      const again = replayed(part, "application/connect+json", true);
      // What is left out is at most a header that was not whole, and what is left of a frame is blotted out.
      expect(part.length - again.length).toBeLessThan(5);
      if (!part.toString().includes("\ufffd"))
        expect(withoutWords(part.toString()).startsWith(withoutWords(again.toString()))).toBe(true);
    }),
  );
});

test("so is a stream of events, and any other text", () => {
  const event = fc.oneof(
    text,
    payload.map((data) => `data: ${data}\n\n`),
    fc.constantFrom(": ping\n\n", "\r\n\r\n", "event: x\n"),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), (events) => {
      const body = Buffer.from(events.join(""));
      for (const type of ["text/event-stream; charset=utf-8", "text/html"])
        expect(withoutWords(replayed(body, type, true).toString())).toBe(withoutWords(body.toString()));
    }),
  );
});

test("without texts, frames and lines keep their number, their order and their size", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 6 }), (frames) => {
      const whole = Buffer.concat(frames.map(({ payload, flags }) => envelope(payload, flags)));
      const again = replayed(whole, "application/connect+json", false);
      expect(again.length).toBe(whole.length);
      const headers = bodyLines(again, "application/connect+json", new Redactor(new StandIns(), true));
      expect(headers.map((line) => "flags" in line && line.flags)).toEqual(frames.map(({ flags }) => flags));
    }),
  );
});

test("bytes that are no text are counted only", () => {
  expect(replayed(Buffer.from([0xff, 0xfe, 0]), "image/png", true)).toEqual(Buffer.alloc(3));
});
