import fc from "fast-check";
import { expect, test } from "vitest";
import { deriveFileName } from "../../src/files/file-name.js";

const urlOf = (path: string) => new URL(path, "https://public.test");

test.each([
  ["/a/report.pdf?x=1.txt", "report.pdf"],
  ["/report.pdf/", "report.pdf"],
  ["/%E6%8A%A5%E5%91%8A.docx", "报告.docx"],
  ["/%B1%A8.docx", "%B1%A8.docx"],
  ["/a%2Fb%5Cc.txt", "c.txt"],
  ["/.hidden", "hidden"],
  ["/%2e%2e%2f", "file"],
  ["/", "file"],
])("derives the name from the URL %s: %s", (path, name) => {
  expect(deriveFileName(undefined, urlOf(path))).toBe(name);
});

test.each([
  ['attachment; filename="a.csv"', "a.csv"],
  ["attachment; filename=a b.csv ; size=1", "a b.csv"],
  ["ATTACHMENT;FileName = a.csv", "a.csv"],
  ['filename="a.csv"', "a.csv"],
  ['attachment; filename="a \\"b\\".csv"', 'a "b".csv'],
  ['attachment; note="; filename=evil.csv"; filename="a.csv"', "a.csv"],
  ['attachment; filename="a.csv"; filename="b.csv"', "a.csv"],
  ["attachment; filename=a.csv; filename*=UTF-8''%E2%82%AC%20rates.csv", "€ rates.csv"],
  ["attachment; filename*=utf-8'en'%e6%8a%a5.csv; filename=a.csv", "报.csv"],
  ["attachment; filename*=iso-8859-1''%A3.csv", "£.csv"],
  ["attachment; filename*=gbk''%B1%A8.csv", "报.csv"],
  ["attachment; filename*=UTF-8''%FF.csv; filename=a.csv", "a.csv"],
  ["attachment; filename*=klingon''%41.csv; filename=a.csv", "a.csv"],
  ["attachment; filename*=%41.csv; filename=a.csv", "a.csv"],
  ["attachment; filename=%E6%8A%A5.csv", "报.csv"],
  ['attachment; filename="100%.csv"', "100%.csv"],
  ['attachment; filename="../../etc/passwd"', "passwd"],
  ['attachment; filename="C:\\dir\\a.csv"', "a.csv"],
  ["attachment; filename*=UTF-8''..%2F..%5Ca.csv", "a.csv"],
  ["attachment; filename*=UTF-8''a%00%0D%0A%1B.csv", "a.csv"],
  ["attachment; filename*=UTF-8''a%E2%80%AEfdp.csv", "afdp.csv"],
  ['attachment; filename=".."', "last.txt"],
  ['attachment; filename="dir/"', "last.txt"],
  ['attachment; filename=""', "last.txt"],
  ["attachment", "last.txt"],
  [`attachment; filename="${"n".repeat(500)}.csv"`, `${"n".repeat(186)}.csv`],
  [`attachment; filename="${"n".repeat(185)}😀😀.csv"`, `${"n".repeat(185)}.csv`],
])("derives the name from the header %s: %s", (disposition, name) => {
  expect(deriveFileName(disposition, urlOf("/last.txt"))).toBe(name);
});

const part = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.stringMatching(/^[./\\%"';=* ]{0,300}$/),
  fc.constantFrom("..", "/", "\\", "%2F", "%00", "%0d%0a", "\u202e", "\ud800", "\u2028", "a", ".pdf"),
  fc.constantFrom('"', ";", "; filename=", "; filename*=", "UTF-8''", "iso-8859-1''"),
);
const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(""));
const encoded = text.map((value) => encodeURIComponent(value.replace(/\p{Cs}/gu, "")));
const disposition = fc.oneof(
  text,
  text.map((value) => `attachment; filename="${value}"`),
  text.map((value) => `attachment; filename=${value}`),
  encoded.map((value) => `attachment; filename*=UTF-8''${value}`),
);

test("always derives a single safe path segment of 1 to 190 characters", () => {
  fc.assert(
    fc.property(disposition, encoded, (header, path) => {
      const name = deriveFileName(header, urlOf(`/${path}`));
      expect(name).toMatch(/^[^/\\\p{C}\p{Zl}\p{Zp}]+$/u);
      expect(name).not.toMatch(/^[.\s]|[.\s]$/);
      expect(name.length).toBeLessThanOrEqual(190);
    }),
    { numRuns: 10_000 },
  );
});

test("keeps any plain name unchanged in every encoding", () => {
  const plain = fc.stringMatching(/^[\p{L}\p{N}_()+,-]{1,80}\.[a-z]{1,5}$/u);
  fc.assert(
    fc.property(plain, (name) => {
      const percent = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
      expect(deriveFileName(`attachment; filename="x"; filename*=UTF-8''${percent}`, urlOf("/x"))).toBe(name);
      expect(deriveFileName(`attachment; filename="${name}"`, urlOf("/x"))).toBe(name);
      expect(deriveFileName(undefined, urlOf(`/${percent}`))).toBe(name);
    }),
    { numRuns: 1_000 },
  );
});
