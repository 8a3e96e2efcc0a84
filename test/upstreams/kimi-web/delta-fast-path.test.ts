import fc from "fast-check";
import { expect, test } from "vitest";
import { DeltaFastPath } from "../../../src/upstreams/kimi-web/delta-fast-path.js";

type DeltaFields = { block?: string; channel?: "text" | "think"; offset?: number; content: string };

function payload({ block = "4", channel = "text", offset = 40, content }: DeltaFields): string {
  const blockFields = { id: block, parentId: "", [channel]: { content } };
  return JSON.stringify({
    op: "append",
    mask: `block.${channel}.content`,
    eventOffset: offset,
    block: blockFields,
  });
}

/** Matches a payload in the middle of other bytes, as the decoder returns it. */
function match(fastPath: DeltaFastPath, text: string): string | undefined {
  const bytes = Buffer.from(`{"before${text}}}}"behind`);
  const start = '{"before'.length;
  return fastPath.match({ isEndOfStream: false, bytes, start, end: start + Buffer.byteLength(text) });
}

function createFastPath(first: DeltaFields): DeltaFastPath {
  const fastPath = new DeltaFastPath();
  fastPath.setTemplate(payload(first));
  return fastPath;
}

test("returns the text of a delta that differs from the template only in offset and text", () => {
  const fastPath = createFastPath({ content: "天空" });
  expect(fastPath).toMatchObject({ blockId: "4", channel: "text" });
  expect(match(fastPath, payload({ offset: 41, content: "为什么" }))).toBe("为什么");
  expect(match(fastPath, payload({ offset: 1_000_000, content: "" }))).toBe("");
  expect(match(fastPath, payload({ offset: 7, content: "x" }))).toBe("x");
});

test("unescapes valid JSON escapes and matches no invalid ones", () => {
  const fastPath = createFastPath({ content: "a" });
  for (const content of ['a "quoted" word', "a line\n", "\\", '\\"', '"', "\u0001\u2028é", "\ud83d"]) {
    expect(match(fastPath, payload({ content }))).toBe(content);
  }
  for (const damaged of ["\\", "\\x", "\\u12", "\\\n", '\\\\"', "\\\\\\"]) {
    expect(
      match(
        fastPath,
        payload({ content: "WORDS" }).replace("WORDS", () => damaged),
      ),
    ).toBeUndefined();
  }
});

test("does not match another block, channel or kind of event", () => {
  const fastPath = createFastPath({ content: "a" });
  for (const other of [
    payload({ block: "5", content: "a" }),
    payload({ channel: "think", content: "a" }),
    payload({ content: "a" }).replace('"op":"append"', '"op":"set"'),
    payload({ content: "a" }).replace("}}}", ',"summary":"s"}}}'),
    payload({ content: "a" }).replace(":40,", ":,"),
    payload({ content: "a" }).replace("a", "\u0001"),
    '{"heartbeat":{}}',
    "{}",
    "",
  ]) {
    expect(match(fastPath, other)).toBeUndefined();
  }
});

test("only an append of text without escapes becomes the template, and nothing matches before", () => {
  const fresh = new DeltaFastPath();
  expect(match(fresh, payload({ content: "a" }))).toBeUndefined();
  for (const other of [
    payload({ content: "a\n" }),
    payload({ content: "a" }).replace('"op":"append"', '"op":"set"'),
    payload({ content: "a" }).replace('"parentId":""', '"parentId":"","createTime":"x"'),
    `{"op":"append","mask":"block.tool.args","eventOffset":6,"block":{"id":"1","tool":{"args":"a"}}}`,
  ]) {
    fresh.setTemplate(other);
    expect(match(fresh, payload({ content: "a" }))).toBeUndefined();
  }
  fresh.setTemplate(payload({ channel: "think", block: "3", content: "so" }));
  expect(fresh).toMatchObject({ blockId: "3", channel: "think" });
});

test("returns what JSON parsing would, even for damaged payloads", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 20 });
  fc.assert(
    fc.property(text, text, fc.nat(99_999), fc.nat(200), text, (known, next, offset, at, damage) => {
      const fastPath = createFastPath({ content: known });
      const whole = payload({ offset, content: next });
      const damaged = whole.slice(0, at) + damage + whole.slice(at + damage.length);
      for (const frame of [whole, damaged]) {
        const content = match(fastPath, frame);
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
