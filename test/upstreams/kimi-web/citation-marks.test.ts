import fc from "fast-check";
import { expect, test } from "vitest";
import { MarkReader, type Piece } from "../../../src/upstreams/kimi-web/citation-marks.js";

const open = "\ue3a0";
const between = "\ue3a3";
const close = "\ue3a8";

function read(pieces: string[]): { text: string; marks: string[][] } {
  const reader = new MarkReader();
  const out: Piece[] = [...pieces.flatMap((piece) => reader.push(piece)), ...reader.flush()];
  return {
    text: out.map((piece) => (piece.type === "text" ? piece.text : "")).join(""),
    marks: out.flatMap((piece) => (piece.type === "mark" ? [piece.refs] : [])),
  };
}

test("a private-use mark becomes its references and leaves the text", () => {
  const mark = `${open}cite${between}web_search:1#0${between}web_search:1#2:~:text=quoted${close}`;
  expect(read([`K3 is a model ${mark}.`])).toEqual({
    text: "K3 is a model .",
    marks: [["web_search:1#0", "web_search:1#2"]],
  });
});

test("the older bracket form is understood, and brackets that are none stay", () => {
  expect(read(["one[^3^] two[^a^] [link](x) a[0] ^[4]"])).toEqual({
    text: "one two[^a^] [link](x) a[0] ^[4]",
    marks: [["3"]],
  });
});

test("a mark that never closes is text again, without its private characters", () => {
  expect(read([`a${open}cite b`])).toEqual({ text: "acite b", marks: [] });
  expect(read([`a${open}${"x".repeat(5_000)}`, "b"]).text).toBe(`a${"x".repeat(5_000)}b`);
});

test("wherever the text is split, the same text and marks come out and no private character does", () => {
  const piece = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 6 }),
    fc.constantFrom("天空", "👨‍👩‍👧", "[", "[^", "^]", "[^12^]", "\ue500", "\u0000", "\n"),
    fc.constantFrom(`${open}cite${between}web_search:1#0${close}`, `${open}cite${close}`),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.array(fc.nat(200), { maxLength: 12 }),
      (parts, cuts) => {
        const text = parts.join("");
        const at = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
        const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
        const whole = read([text]);
        expect(read(pieces)).toEqual(whole);
        expect(whole.text).not.toMatch(/[\ue000-\uf8ff]/);
      },
    ),
    { numRuns: 500 },
  );
});

test("a surrogate pair that is split over two pieces leaves as one", () => {
  const reader = new MarkReader();
  expect(reader.push("a\ud83c")).toEqual([{ type: "text", text: "a" }]);
  expect(reader.push("\udf19")).toEqual([{ type: "text", text: "\ud83c\udf19" }]);
});
