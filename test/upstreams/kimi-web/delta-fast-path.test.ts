import fc from "fast-check";
import { expect, test } from "vitest";
import { NextWords } from "../../../src/upstreams/kimi-web/delta-fast-path.js";

type Words = { block?: string; voice?: "text" | "think"; offset?: number; content: string };

function payload({ block = "4", voice = "text", offset = 40, content }: Words): string {
  const said = { id: block, parentId: "", [voice]: { content } };
  return JSON.stringify({
    op: "append",
    mask: `block.${voice}.content`,
    eventOffset: offset,
    block: said,
  });
}

/** Reads the payload from the middle of other bytes, as a decoder gives it. */
function read(words: NextWords, text: string): string | undefined {
  const bytes = Buffer.from(`{"before${text}}}}"behind`);
  const start = '{"before'.length;
  return words.read({ last: false, bytes, start, end: start + Buffer.byteLength(text) });
}

function learned(first: Words): NextWords {
  const words = new NextWords();
  words.learn(payload(first));
  return words;
}

test("once a frame is known, the next gives its words, whatever its number", () => {
  const words = learned({ content: "天空" });
  expect(words).toMatchObject({ block: "4", voice: "text" });
  expect(read(words, payload({ offset: 41, content: "为什么" }))).toBe("为什么");
  expect(read(words, payload({ offset: 1_000_000, content: "" }))).toBe("");
  expect(read(words, payload({ offset: 7, content: "x" }))).toBe("x");
});

test("words are unescaped, and only as JSON has it", () => {
  const words = learned({ content: "a" });
  for (const content of ['a "quoted" word', "a line\n", "\\", '\\"', '"', "\u0001\u2028é", "\ud83d"]) {
    expect(read(words, payload({ content }))).toBe(content);
  }
  for (const damaged of ["\\", "\\x", "\\u12", "\\\n", '\\\\"', "\\\\\\"]) {
    expect(
      read(
        words,
        payload({ content: "WORDS" }).replace("WORDS", () => damaged),
      ),
    ).toBeUndefined();
  }
});

test("another block, voice or kind of frame have to be parsed", () => {
  const words = learned({ content: "a" });
  for (const other of [
    payload({ block: "5", content: "a" }),
    payload({ voice: "think", content: "a" }),
    payload({ content: "a" }).replace('"op":"append"', '"op":"set"'),
    payload({ content: "a" }).replace("}}}", ',"summary":"s"}}}'),
    payload({ content: "a" }).replace(":40,", ":,"),
    payload({ content: "a" }).replace("a", "\u0001"),
    '{"heartbeat":{}}',
    "{}",
    "",
  ]) {
    expect(read(words, other)).toBeUndefined();
  }
});

test("only a frame that extends a block by plain words is learnt, and nothing is read before one was", () => {
  const fresh = new NextWords();
  expect(read(fresh, payload({ content: "a" }))).toBeUndefined();
  for (const other of [
    payload({ content: "a\n" }),
    payload({ content: "a" }).replace('"op":"append"', '"op":"set"'),
    payload({ content: "a" }).replace('"parentId":""', '"parentId":"","createTime":"x"'),
    `{"op":"append","mask":"block.tool.args","eventOffset":6,"block":{"id":"1","tool":{"args":"a"}}}`,
  ]) {
    fresh.learn(other);
    expect(read(fresh, payload({ content: "a" }))).toBeUndefined();
  }
  fresh.learn(payload({ voice: "think", block: "3", content: "so" }));
  expect(fresh).toMatchObject({ block: "3", voice: "think" });
});

test("what is read is what parsing would give, for frames that were damaged anywhere too", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 20 });
  fc.assert(
    fc.property(text, text, fc.nat(99_999), fc.nat(200), text, (known, next, offset, at, damage) => {
      const words = learned({ content: known });
      const whole = payload({ offset, content: next });
      const damaged = whole.slice(0, at) + damage + whole.slice(at + damage.length);
      for (const frame of [whole, damaged]) {
        const content = read(words, frame);
        if (content === undefined) continue;
        expect(JSON.parse(Buffer.from(frame).toString())).toMatchObject({
          op: "append",
          block: { id: "4", parentId: "", text: { content } },
        });
      }
    }),
    { numRuns: 2_000 },
  );
});
