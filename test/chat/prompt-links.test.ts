import { expect, test } from "vitest";
import { findLinks } from "../../src/chat/prompt-links.js";
import type { Message } from "../../src/core/types.js";

const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });
const urls = (...messages: Message[]) => findLinks(messages);

test.each([
  ["总结https://a.example/b.pdf，谢谢", ["https://a.example/b.pdf"]],
  [
    "See https://a.example/b.pdf. And (https://b.example/c)?",
    ["https://a.example/b.pdf", "https://b.example/c"],
  ],
  [
    "[here](https://a.example/x?y=1&z=2#p) <https://b.example>",
    ["https://a.example/x?y=1&z=2#p", "https://b.example"],
  ],
  ['"https://a.example/q" **https://b.example/r**', ["https://a.example/q", "https://b.example/r"]],
  ["HTTPS://A.example/B.PDF!", ["HTTPS://A.example/B.PDF"]],
  ["https://a.example/x https://a.example/x", ["https://a.example/x"]],
  ["ftp://a.example file:///etc/passwd mailto:a@b.example a.example/b", []],
])("findLinks finds the addresses in %s", (text, expected) => {
  expect(urls(user(text))).toEqual(expected);
});

test("findLinks reads user messages only, the latest first, up to `promptLinks` links", () => {
  const many = Array.from({ length: 9 }, (_, n) => `https://a.example/${n}`).join(" ");
  const system: Message = { role: "system", content: [{ type: "text", text: "https://system.example" }] };
  const found = urls(system, user(many), user("https://last.example"));
  expect(found).toEqual(["https://last.example", ...[0, 1, 2, 3].map((n) => `https://a.example/${n}`)]);
});
