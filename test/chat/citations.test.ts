import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CitationWriter, withoutCitations } from "../../src/chat/citations.js";
import { type ChatEvent, type CitationMode, citationModes } from "../../src/core/types.js";

const pages = [
  { index: 1, url: "https://example.org/moon", title: "The Moon" },
  { index: 2, url: "https://example.com/月亮", title: "月亮" },
];
const found: ChatEvent[] = pages.map((source) => ({ type: "source", source }));
const text = (value: string): ChatEvent => ({ type: "text", text: value });
const cite = (...sources: number[]): ChatEvent => ({ type: "citation", sources });
const finish: ChatEvent = { type: "finish", reason: "stop" };

function start(citations: CitationMode): ChatEvent {
  return { type: "start", upstream: "me", model: "kimi", simulated: false, citations, ignored: [] };
}

/** The answer as it is written, and the words that each annotation cuts out of it. */
function write(citations: CitationMode, events: readonly ChatEvent[]) {
  const writer = new CitationWriter();
  const written = [start(citations), ...found, ...events, finish]
    .map((event) => writer.write(event))
    .join("");
  const words = writer.annotations().map(({ url, start, end }) => [written.slice(start, end), url]);
  return { written, words };
}

const english = [
  text("It is far away. The moon is a rock"),
  cite(1),
  text(" and it is "),
  text("old"),
  cite(2, 1),
  text("."),
];
const chinese = [text("它很远。月亮是一块石头"), cite(2), text("，而且很古老。"), cite(1)];

describe("the four modes, side by side", () => {
  test.each(citationModes)("%s", (mode) => {
    expect(write(mode, english)).toMatchSnapshot("English");
    expect(write(mode, chinese)).toMatchSnapshot("Chinese");
  });
});

test("the words are the sentence before the mark, or the part of it since the last one", () => {
  expect(write("annotations", english).words).toEqual([
    ["The moon is a rock", pages[0]?.url],
    ["and it is old", pages[1]?.url],
    ["and it is old", pages[0]?.url],
  ]);
  expect(write("annotations", chinese).words).toEqual([
    ["月亮是一块石头", pages[1]?.url],
    ["而且很古老。", pages[0]?.url],
  ]);
});

test("a mark right behind another stands for the same words; one before any words for none", () => {
  const events = [cite(1), text("A rock"), cite(1), text(" "), cite(2), text(".")];
  expect(write("inline", events).words.map(([words]) => words)).toEqual(["", "A rock", "A rock"]);
});

test("pages that are not cited are listed, and annotated at the end", () => {
  const { written, words } = write("footer", [text("A rock.")]);
  expect(written).toMatch(/1\. \[The Moon\]\(https:\/\/example\.org\/moon\)\n2\. /);
  expect(words).toEqual([
    ["", pages[0]?.url],
    ["", pages[1]?.url],
  ]);
});

test("whatever the splits, offsets cut exactly the cited words, in every mode", () => {
  const sentence = fc
    .string({
      unit: fc.constantFrom("a", "B", "7", "月", "亮", "👨‍👩‍👧", "🌙", " ", ",", "é"),
      minLength: 1,
      maxLength: 30,
    })
    .map((words) => `x${words}y`);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(sentence, fc.constantFrom(1, 2)), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(60), { maxLength: 8 }),
      fc.constantFrom("inline" as const, "footer" as const, "annotations" as const),
      (parts, cuts, mode) => {
        const events = parts.flatMap(([words, source]) => [
          ...split(`${words}`, cuts),
          cite(source),
          text(". "),
        ]);
        const { words } = write(mode, events);
        expect(words).toEqual(parts.map(([said, source]) => [said, pages[source - 1]?.url]));
      },
    ),
    { numRuns: 500 },
  );
});

/** The text in pieces, cut between any two code units. */
function split(value: string, cuts: readonly number[]): ChatEvent[] {
  const at = [0, ...cuts.map((cut) => cut % (value.length + 1)), value.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => text(value.slice(at[index], end)));
}

test("a hostile page injects nothing", () => {
  const hostile = [
    {
      index: 1,
      url: "https://example.org/a)b [c](javascript:alert(1)",
      title: "x](https://evil.example) <img src=x>\n# Head",
    },
    { index: 2, url: "javascript:alert(1)", title: "`code` **bold**" },
  ];
  const writer = new CitationWriter();
  writer.write(start("inline"));
  for (const source of hostile) writer.write({ type: "source", source });
  const written = [text("A rock"), cite(1, 2), finish].map((event) => writer.write(event)).join("");
  expect(written).not.toMatch(/[^\\]\]\(https:\/\/evil/);
  expect(written).not.toMatch(/\(javascript:/);
  expect(written).not.toMatch(/[^\\]<img|\n#/);
  expect(written.split("\n").length).toBe(6);
});

test("what was added can be taken away again", () => {
  for (const mode of citationModes) {
    for (const events of [english, chinese]) {
      const plain = events.map((event) => (event.type === "text" ? event.text : "")).join("");
      expect(withoutCitations(write(mode, events).written)).toBe(plain);
    }
  }
  expect(withoutCitations("See [1](#note) and [a](https://x.example).")).toBe(
    "See [1](#note) and [a](https://x.example).",
  );
});
