import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CitationWriter, withoutCitations } from "../../src/chat/citations.js";
import { type ChatEvent, type CitationMode, citationModes } from "../../src/core/types.js";

const pages = [
  { index: 1, url: "https://example.org/moon", title: "The Moon" },
  { index: 2, url: "https://example.com/月亮", title: "月亮" },
];
const sourceEvents: ChatEvent[] = pages.map((source) => ({ type: "source", source }));
const text = (value: string): ChatEvent => ({ type: "text", text: value });
const cite = (...sources: number[]): ChatEvent => ({ type: "citation", sources });
const finish: ChatEvent = { type: "finish", reason: "stop" };

function start(citations: CitationMode): ChatEvent {
  return { type: "start", upstream: "me", model: "kimi", simulated: false, citations, ignored: [] };
}

/** The rendered answer, and for each annotation the cited text and its address. */
function write(citations: CitationMode, events: readonly ChatEvent[]) {
  const writer = new CitationWriter();
  const written = [start(citations), ...sourceEvents, ...events, finish]
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

describe("rendering of each citation mode", () => {
  test.each(citationModes)("%s", (mode) => {
    expect(write(mode, english)).toMatchSnapshot("English");
    expect(write(mode, chinese)).toMatchSnapshot("Chinese");
  });
});

describe("inline markers stand apart from words and from each other", () => {
  const first = `[1](${pages[0]?.url})`;
  const second = `[2](${pages[1]?.url})`;
  test.each<[string, ChatEvent[], string]>([
    ["between words", [text("far"), cite(1), text("away")], `far ${first} away`],
    ["of one mark", [text("far"), cite(1, 2), text(" away.")], `far ${first} ${second} away.`],
    ["of two marks", [text("far"), cite(1), cite(2), text(" away.")], `far ${first} ${second} away.`],
    [
      "of two marks with a space",
      [text("far "), cite(1), text(" "), cite(2), text(".")],
      `far ${first} ${second}.`,
    ],
    ["before a full stop", [text("far"), cite(1), text(".")], `far ${first}.`],
    ["behind a full stop", [text("far."), cite(1), text("\nNext")], `far. ${first}\nNext`],
    [
      "in Chinese",
      [text("月亮"), cite(1), text("很远"), cite(2), text("。")],
      `月亮 ${first} 很远 ${second}。`,
    ],
    ["behind an exclamation mark, not as a picture", [text("Wow!"), cite(1)], `Wow! ${first}`],
    ["before a bracket, not as a link", [text("far"), cite(1), text("(km)")], `far ${first} (km)`],
    ["before another link", [text("far"), cite(1), text("[a](b)")], `far ${first} [a](b)`],
    ["in brackets", [text("far ("), cite(1), text(")")], `far (${first})`],
    ["inside bold text", [text("**far"), cite(1), text("** away")], `**far ${first}** away`],
    ["before an emoji", [text("far"), cite(1), text("🌙")], `far ${first} 🌙`],
    ["at the beginning", [cite(1), text("far")], `${first} far`],
    ["in a cell of a table", [text("| far"), cite(1), text(" |")], `| far ${first} |`],
    ["with an empty delta behind it", [text("far"), cite(1), text(""), text("away")], `far ${first} away`],
  ])("%s", (_where, events, expected) => {
    expect(write("inline", events).written.split("\n\n**")[0]).toBe(expected);
  });

  test("other modes change nothing in the text", () => {
    const events = [text("far"), cite(1), text("away")];
    for (const mode of ["annotations", "off"] as const) expect(write(mode, events).written).toBe("faraway");
  });
});

test("an annotation covers the sentence before the mark, or its part since the previous mark", () => {
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

test("a mark directly behind another cites the same text; a mark before any text cites none", () => {
  const events = [cite(1), text("A rock"), cite(1), text(" "), cite(2), text(".")];
  expect(write("inline", events).words.map(([words]) => words)).toEqual(["", "A rock", "A rock"]);
});

test("if nothing is cited, all sources are listed and annotated at the end of the text", () => {
  const { written, words } = write("footer", [text("A rock.")]);
  expect(written).toMatch(/1\. \[The Moon\]\(https:\/\/example\.org\/moon\)\n2\. /);
  expect(words).toEqual([
    ["", pages[0]?.url],
    ["", pages[1]?.url],
  ]);
});

test("offsets select exactly the cited text, however the text is split, in every mode with annotations", () => {
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
        expect(words).toEqual(parts.map(([passage, source]) => [passage, pages[source - 1]?.url]));
      },
    ),
    { numRuns: 500 },
  );
});

/** Text events, split between any two UTF-16 code units. */
function split(value: string, cuts: readonly number[]): ChatEvent[] {
  const offsets = [0, ...cuts.map((cut) => cut % (value.length + 1)), value.length].sort((a, b) => a - b);
  return offsets.slice(1).map((end, index) => text(value.slice(offsets[index], end)));
}

test("titles and addresses of sources cannot inject Markdown or HTML", () => {
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

test("withoutCitations removes everything that was added but spaces, and nothing else", () => {
  for (const mode of citationModes) {
    for (const events of [english, chinese]) {
      const plain = events.map((event) => (event.type === "text" ? event.text : "")).join("");
      const rest = withoutCitations(write(mode, events).written);
      if (mode === "inline") expect(rest.replaceAll(" ", "")).toBe(plain.replaceAll(" ", ""));
      else expect(rest).toBe(plain);
    }
  }
  expect(withoutCitations("far[1](https://x.example)[2](#) away")).toBe("far away");
  expect(withoutCitations("See [1](#note) and [a](https://x.example).")).toBe(
    "See [1](#note) and [a](https://x.example).",
  );
});
