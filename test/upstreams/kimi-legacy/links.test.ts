import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wrapLinks } from "../../../src/upstreams/kimi-legacy/links.js";

const tag = (url: string) => `<url id="" type="url" status="" title="" wc="">${url}</url>`;

/** The expected text is written with the wrapped addresses in «guillemets». */
const expected = (text: string) => text.replace(/«([^»]*)»/g, (_, url: string) => tag(url));

describe("addresses are wrapped", () => {
  test.each([
    "read «https://example.org/a?b=c&d=%20#e»",
    "«http://example.org» and «https://example.com:8080/x»",
    "看«https://example.org/路径»".replace("/路径»", "/»路径"),
    "见«https://example.org/b.pdf»，谢谢。",
    "是«https://example.org/a»。还有（«https://example.org/b»）",
    "Is it «https://example.org/a»? Or (see «https://example.org/b»)!",
    "«https://en.wikipedia.org/wiki/Moon_(disambiguation)», not «https://example.org/x»).",
    "**«https://example.org/bold»**",
    "HTTP: «HTTPS://EXAMPLE.ORG/A»",
    '"«https://example.org»"',
  ])("%s", (text) => {
    expect(wrapLinks(text.replace(/[«»]/g, ""))).toBe(expected(text));
  });
});

describe("and some are left as they are", () => {
  test.each([
    ["wrapped already", `${tag("https://example.org/a")} and again`],
    ["wrapped by another client", '<url id="1" type="url">https://example.org/a</url>'],
    ["in a code block", "```sh\ncurl https://example.org/a\n```"],
    ["in a code block that never ends", "```\ncurl https://example.org/a"],
    ["in code", "what does `fetch('https://example.org/a')` do?"],
    ["a citation of an earlier answer", "assistant: It is so.[1](https://example.org/a) Really."],
    ["no address", "https:// and http: and xhttps://example.org"],
  ])("%s", (_what, text) => {
    expect(wrapLinks(text)).toBe(text);
  });

  test("what stands around code is wrapped", () => {
    expect(wrapLinks("`a` https://a.example ```b``` https://b.example")).toBe(
      `\`a\` ${tag("https://a.example")} \`\`\`b\`\`\` ${tag("https://b.example")}`,
    );
  });
});

test("nothing but tags is added, wrapping twice is wrapping once, and no text takes long", () => {
  const piece = fc.constantFrom(
    "https://a.example/b",
    "`",
    "```",
    "(",
    ")",
    "](",
    "<url>",
    "</url>",
    " ",
    "。",
    "a",
    "\n",
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      (text) => {
        const once = wrapLinks(text);
        expect(once.replace(/<url id="" type="url" status="" title="" wc="">([^<]*)<\/url>/g, "$1")).toBe(
          text,
        );
        expect(wrapLinks(once)).toBe(once);
      },
    ),
    { numRuns: 2_000 },
  );
  for (const part of ["<url>", "`", "https://a", "https://a)", "](", ")", "```"]) {
    const text = part.repeat(200_000);
    expect(wrapLinks(text).length).toBeGreaterThanOrEqual(text.length);
  }
  expect(wrapLinks(`https://a.example/${")".repeat(500_000)}`)).toHaveLength(
    500_000 + tag("https://a.example/").length,
  );
});
