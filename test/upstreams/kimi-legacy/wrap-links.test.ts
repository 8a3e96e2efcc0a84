import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wrapLinks } from "../../../src/upstreams/kimi-legacy/wrap-links.js";

const urlTag = (url: string) => `<url id="" type="url" status="" title="" wc="">${url}</url>`;

/** Expected texts mark the wrapped URLs with «guillemets». */
const expected = (text: string) => text.replace(/«([^»]*)»/g, (_, url: string) => urlTag(url));

describe("wraps URLs", () => {
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

describe("does not wrap", () => {
  test.each([
    ["a URL that is wrapped already", `${urlTag("https://example.org/a")} and again`],
    ["a URL wrapped by another client", '<url id="1" type="url">https://example.org/a</url>'],
    ["a URL in a code block", "```sh\ncurl https://example.org/a\n```"],
    ["a URL in a code block that never ends", "```\ncurl https://example.org/a"],
    ["a URL in inline code", "what does `fetch('https://example.org/a')` do?"],
    ["a citation of an earlier answer", "assistant: It is so.[1](https://example.org/a) Really."],
    ["text that is no URL", "https:// and http: and xhttps://example.org"],
  ])("%s", (_what, text) => {
    expect(wrapLinks(text)).toBe(text);
  });

  test("code, but the URLs around it", () => {
    expect(wrapLinks("`a` https://a.example ```b``` https://b.example")).toBe(
      `\`a\` ${urlTag("https://a.example")} \`\`\`b\`\`\` ${urlTag("https://b.example")}`,
    );
  });
});

test("adds only tags, is idempotent, and takes linear time", () => {
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
    500_000 + urlTag("https://a.example/").length,
  );
});

test("of very many links only the last two hundred are wrapped, so that a long prompt stays short enough", () => {
  const links = Array.from({ length: 1_000 }, (_, n) => `https://example.org/${n}`);
  const expectedLines = links.map((link, n) => (n < 800 ? link : urlTag(link)));
  expect(wrapLinks(links.join("\n")).split("\n")).toEqual(expectedLines);
});
