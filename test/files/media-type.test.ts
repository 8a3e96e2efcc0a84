import { expect, test } from "vitest";
import { detectMediaType, withExtension } from "../../src/files/media-type.js";

test.each([
  ["application/pdf", "x.txt", "application/pdf"],
  ["Image/PNG; charset=x", "x", "image/png"],
  ["application/x-tar", "x.pdf", "application/x-tar"],
  ["application/octet-stream", "photo.JPG", "image/jpeg"],
  [
    "application/octet-stream; x=y",
    "a.xlsx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ],
  ["binary/octet-stream", "book.epub", "application/epub+zip"],
  ["application/force-download", "a.md", "text/markdown"],
  ["nonsense", "a.heic", "image/heic"],
  ["a/b\u0000", "a.csv", "text/csv"],
  ["", "a.webp", "image/webp"],
  [undefined, "a.svg", "image/svg+xml"],
  [undefined, "a.unknown", "application/octet-stream"],
  [undefined, "pdf", "application/octet-stream"],
])("detects the type for content-type %s and name %s: %s", (contentType, name, mediaType) => {
  expect(detectMediaType(contentType, name)).toBe(mediaType);
});

test.each([
  ["report", "application/pdf", "report.pdf"],
  ["report.pdf", "application/pdf", "report.pdf"],
  ["2401.12345", "application/pdf", "2401.12345.pdf"],
  ["download.php", "application/pdf", "download.php.pdf"],
  ["photo.jpeg", "image/jpeg", "photo.jpeg"],
  ["photo", "image/jpeg", "photo.jpg"],
  ["page", "text/html", "page.html"],
  ["README", "text/plain", "README.txt"],
  ["README.md", "text/plain", "README.md"],
  ["build.rs", "text/plain", "build.rs"],
  ["data", "application/octet-stream", "data"],
  ["data", "application/x-tar", "data"],
])("names %s of type %s: %s", (name, mediaType, full) => {
  expect(withExtension(name, mediaType)).toBe(full);
});
