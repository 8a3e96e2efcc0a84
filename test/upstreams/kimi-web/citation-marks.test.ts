import fc from "fast-check";
import { expect, test } from "vitest";
import { CitationMarkParser, type TextSegment } from "../../../src/upstreams/kimi-web/citation-marks.js";

const markStart = "\ue3a0";
const separator = "\ue3a3";
const markEnd = "\ue3a8";

function parse(pieces: string[], hasSearched = false): { text: string; marks: string[][] } {
  const parser = new CitationMarkParser({ hasSearched });
  const out: TextSegment[] = [...pieces.flatMap((piece) => parser.push(piece)), ...parser.flush()];
  return {
    text: out.map((piece) => (piece.type === "text" ? piece.text : "")).join(""),
    marks: out.flatMap((piece) => (piece.type === "mark" ? [piece.refs] : [])),
  };
}

test("separates a private-use mark from the text and returns its references", () => {
  const mark = `${markStart}cite${separator}web_search:1#0${separator}web_search:1#2:~:text=quoted${markEnd}`;
  expect(parse([`K3 is a model ${mark}.`])).toEqual({
    text: "K3 is a model .",
    marks: [["web_search:1#0", "web_search:1#2"]],
  });
});

test("parses the older bracket form and keeps other brackets", () => {
  expect(parse(["one[^3^] two[^a^] [link](x) a[0] ^[4]"])).toEqual({
    text: "one two[^a^] [link](x) a[0] ^[4]",
    marks: [["3"]],
  });
});

test("parses references without a mark around them in an answer that has searched", () => {
  const text = `K3${separator}web_search:1#5${separator} is now web_search:1#12. Not web_search or web_search:x`;
  expect(parse([text], true)).toEqual({
    text: "K3 is now . Not web_search or web_search:x",
    marks: [["web_search:1#5"], ["web_search:1#12"]],
  });
  expect(parse(["about web_search:1#0"])).toEqual({ text: "about web_search:1#0", marks: [] });
});

test("parses marks whose separators are recorded as emoji", () => {
  const mark = `${markStart}cite🛠web_search:1#0:~:text=a 🛠web_search:1#2🎨`;
  expect(parse([`far${mark} 🎨`])).toEqual({ text: "far 🎨", marks: [["web_search:1#0", "web_search:1#2"]] });
});

test("returns a mark that never closes as text, without private-use characters", () => {
  expect(parse([`a${markStart}cite b`])).toEqual({ text: "acite b", marks: [] });
  expect(parse([`a${markStart}${"x".repeat(5_000)}`, "b"]).text).toBe(`a${"x".repeat(5_000)}b`);
});

test("gives the same text and marks however the text is split, without private-use characters", () => {
  const piece = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 6 }),
    fc.constantFrom("天空", "👨‍👩‍👧", "[", "[^", "^]", "[^12^]", "\ue500", "\u0000", "\n"),
    fc.constantFrom(`${markStart}cite${separator}web_search:1#0${markEnd}`, `${markStart}cite${markEnd}`),
    fc.constantFrom(
      "web_search:1#1",
      "web_search:",
      "w",
      "we",
      `${separator}web_search:2#34${separator}`,
      "🛠",
      "🎨",
    ),
    fc.constantFrom(`${markStart}cite🛠web_search:1#0🎨`, `${markStart}article🛠`),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 12 }),
      fc.array(fc.nat(200), { maxLength: 12 }),
      fc.boolean(),
      (parts, cuts, hasSearched) => {
        const text = parts.join("");
        const at = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
        const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
        const whole = parse([text], hasSearched);
        expect(parse(pieces, hasSearched)).toEqual(whole);
        expect(whole.text).not.toMatch(/[\ue000-\uf8ff]/);
      },
    ),
    { numRuns: 500 },
  );
});

test("joins a surrogate pair that is split over two chunks", () => {
  const parser = new CitationMarkParser({ hasSearched: false });
  expect(parser.push("a\ud83c")).toEqual([{ type: "text", text: "a" }]);
  expect(parser.push("\udf19")).toEqual([{ type: "text", text: "\ud83c\udf19" }]);
});
