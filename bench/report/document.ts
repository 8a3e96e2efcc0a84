import { readFileSync, writeFileSync } from "node:fs";

const path = "docs/reference/performance.md";

/** Replaces a part's section in the documentation with this report. Throws if the page has no section for the part. */
export function writeToDocumentation(part: string, report: string): void {
  const page = readFileSync(path, "utf8");
  const [startMarker, endMarker] = [`<!-- bench: ${part} -->`, "<!-- end -->"];
  const from = page.indexOf(startMarker);
  const to = page.indexOf(endMarker, from);
  if (from === -1 || to === -1)
    throw new Error(`${path} has no place for ${part}: ${startMarker} … ${endMarker}`);
  writeFileSync(path, `${page.slice(0, from + startMarker.length)}\n\n${report}\n${page.slice(to)}`);
}
