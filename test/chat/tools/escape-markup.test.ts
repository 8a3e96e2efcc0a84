import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  escapeMarkup,
  type MarkupSyntax,
  MarkupUnescaper,
  unescapeMarkup,
} from "../../../src/chat/tools/escape-markup.js";

/** Texts of which many pieces are parts of tags, escaped or not. */
const markup = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "<",
        "</",
        "call",
        "CALL",
        "_",
        "__",
        "-",
        "-7f3k",
        "-ab",
        "7f3k",
        ">",
        "<call-7f3k>",
        "</call_-abcd>",
        "<Call__-zZ00",
        "\\",
        "\\u003c",
        "\\u005f",
        "\\/",
        "u003c",
        '"',
        "\n",
        "\u212a",
        "\u0130",
        "é",
        "🜁",
        "\u2028",
        "<|tool_calls_section_begin|>",
      ),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(""));

function unescapeInPieces(text: string, syntax: MarkupSyntax, lengths: readonly number[]): string {
  const unescaper = new MarkupUnescaper(syntax);
  let output = "";
  let position = 0;
  for (const length of [...lengths, text.length]) {
    output += unescaper.add(text.slice(position, position + length));
    position += length;
  }
  return output + unescaper.end();
}

const lengths = fc.array(fc.nat(3));

describe("our tag in what the model reads", () => {
  test.each([
    ["<call-7f3k>{}</call-7f3k>", "<call_-7f3k>{}</call_-7f3k>"],
    ["<call_-7f3k>", "<call__-7f3k>"],
    ["<CALL-ABCD", "<CALL_-ABCD"],
    ["<call-abcdef>", "<call_-abcdef>"],
    ["<call-abc> <call> <recall-7f3k> call-7f3k", "<call-abc> <call> <recall-7f3k> call-7f3k"],
    ["<<call-7f3k", "<<call_-7f3k"],
  ])("%s is told as %s", (text, told) => {
    expect(escapeMarkup(text)).toBe(told);
    expect(unescapeMarkup(told)).toBe(text);
  });

  test("is never a tag once it is escaped, whatever the word, and comes back byte for byte, in any pieces", () => {
    fc.assert(
      fc.property(markup, lengths, (text, pieces) => {
        const told = escapeMarkup(text);
        expect(told).not.toMatch(/<\/?call-[a-z0-9]{4}/i);
        expect(unescapeMarkup(told)).toBe(text);
        expect(unescapeInPieces(told, "text", pieces)).toBe(text);
      }),
      { numRuns: 3_000 },
    );
  });

  test("comes back in the strings of JSON, however the model writes their characters", () => {
    const asWritten = (json: string, seed: number) =>
      [...json]
        .map((character, index) =>
          (seed * (index + 7)) % 5 === 0 && "<call-_73kf".includes(character)
            ? `\\u00${character.charCodeAt(0).toString(16)}`
            : character,
        )
        .join("")
        .replaceAll("</", seed % 2 === 0 ? "<\\/" : "</");
    fc.assert(
      fc.property(fc.array(markup, { maxLength: 3 }), fc.nat(20), lengths, (texts, seed, pieces) => {
        const json = asWritten(escapeMarkup(JSON.stringify(texts)), seed);
        expect(JSON.parse(unescapeMarkup(json, "json"))).toEqual(texts);
        expect(unescapeInPieces(json, "json", pieces)).toBe(unescapeMarkup(json, "json"));
      }),
      { numRuns: 3_000 },
    );
  });

  test("is held back only as far as it may be one", () => {
    const unescaper = new MarkupUnescaper();
    expect(unescaper.add("a <b <ca")).toBe("a <b ");
    expect(unescaper.add("ke <call__")).toBe("<cake <call_");
    expect(unescaper.add("_".repeat(100_000))).toBe("_".repeat(100_000));
    expect(unescaper.add("-7f3")).toBe("");
    expect(unescaper.add("k>")).toBe("-7f3k>");
  });

  test("takes linear time where almost all of a text is the beginning of tags", () => {
    for (const text of [
      "<call".repeat(200_000),
      `<call${"_".repeat(1_000_000)}`,
      "<".repeat(1_000_000),
      "<call_-7f3".repeat(100_000),
    ]) {
      expect(unescapeMarkup(escapeMarkup(text))).toBe(text);
    }
  });
});
