import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeEnvelope } from "../../../simulator/envelope.js";
import { parseRecordedCall } from "../../../simulator/recorded-call.js";
import { bodyLines } from "../../../src/observability/recording/body-lines.js";
import { Pseudonyms } from "../../../src/observability/recording/pseudonyms.js";
import { Redactor } from "../../../src/observability/recording/redactor.js";
import { maskLetters } from "../../../src/observability/recording/text-masker.js";

/** The body that a replay sends for a recorded body of this content type. */
function replayBody(body: Buffer, contentType: string, keepTexts: boolean): Buffer {
  const lines = [
    { recording: 1, method: "GET", path: "/", headers: {} },
    { status: 200, headers: {} },
    ...bodyLines(body, contentType, new Redactor(new Pseudonyms(), keepTexts)),
    { end: "complete" },
  ];
  const recorded = parseRecordedCall(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  if (!recorded) throw new Error("the reader does not understand the writer");
  return Buffer.concat(recorded.response.body);
}

const text = fc.string({
  unit: fc.constantFrom(...'ab:{" \r\n\u2028é天\u0000'.split(""), "data: ", "\n\n", "😀"),
});
const payload = fc.oneof(
  text.map((content) => `no JSON: ${content}`),
  text.map((content) => JSON.stringify({ op: "append", block: { id: "1", text: { content } } })),
);
const envelope = fc.record({ payload, flags: fc.constantFrom(0, 2, 4) });

test("a stream of envelopes is replayed unchanged, wherever it was cut", () => {
  fc.assert(
    fc.property(fc.array(envelope, { maxLength: 6 }), fc.nat(400), (envelopes, cut) => {
      const whole = Buffer.concat(envelopes.map(({ payload, flags }) => encodeEnvelope(payload, flags)));
      expect(replayBody(whole, "application/connect+json", true)).toEqual(whole);
      const cutBody = whole.subarray(0, cut);
      const replay = replayBody(cutBody, "application/connect+json", true);
      // At most an incomplete header is left out, and an incomplete payload is masked.
      expect(cutBody.length - replay.length).toBeLessThan(5);
      if (!cutBody.toString().includes("\ufffd"))
        expect(maskLetters(cutBody.toString()).startsWith(maskLetters(replay.toString()))).toBe(true);
    }),
  );
});

test("a stream of events and any other text are replayed unchanged", () => {
  const event = fc.oneof(
    text,
    payload.map((data) => `data: ${data}\n\n`),
    fc.constantFrom(": ping\n\n", "\r\n\r\n", "event: x\n"),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), (events) => {
      const body = Buffer.from(events.join(""));
      for (const type of ["text/event-stream; charset=utf-8", "text/html"])
        expect(maskLetters(replayBody(body, type, true).toString())).toBe(maskLetters(body.toString()));
    }),
  );
});

test("without texts, envelopes keep their number, order and size", () => {
  fc.assert(
    fc.property(fc.array(envelope, { maxLength: 6 }), (envelopes) => {
      const whole = Buffer.concat(envelopes.map(({ payload, flags }) => encodeEnvelope(payload, flags)));
      const replay = replayBody(whole, "application/connect+json", false);
      expect(replay.length).toBe(whole.length);
      const headers = bodyLines(replay, "application/connect+json", new Redactor(new Pseudonyms(), true));
      expect(headers.map((line) => "flags" in line && line.flags)).toEqual(
        envelopes.map(({ flags }) => flags),
      );
    }),
  );
});

test("of bytes that are not text only the number is recorded", () => {
  expect(replayBody(Buffer.from([0xff, 0xfe, 0]), "image/png", true)).toEqual(Buffer.alloc(3));
});
